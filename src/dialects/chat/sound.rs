//! What a sound is of which nobody says it, by its first bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The media type of a sound whose format nobody knows.
pub(crate) const UNKNOWN: &str = "audio/*";

/// Why such a one is not sent to who wants to be told.
pub(crate) const UNHEARD: &str = "what format the sound has is neither said nor known by its first bytes";

/// How much base64 is looked at: twelve bytes.
const HEAD: usize = 16;

/// The media type of a sound in base64, as Gemini's guide names it ("Supported audio formats"); none where its first bytes are nobody's.
pub(super) fn media_type(data: &str) -> Option<&'static str> {
    let head = data.get(..HEAD.min(data.len() / 4 * 4))?;
    let bytes = STANDARD.decode(head).ok()?;
    match bytes.as_slice() {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => Some("audio/aiff"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [b'f', b'L', b'a', b'C', ..] => Some("audio/flac"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("audio/mp4"),
        [b'I', b'D', b'3', ..] => Some("audio/mp3"),
        // Eleven bits of a frame's beginning, its version and its layer (ISO 11172-3, 2.4.1.3). Layer 0 is that of AAC (ISO 13818-7, "adts_fixed_header").
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Some("audio/aac"),
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x18 != 0x08 && second & 0x06 != 0 => Some("audio/mp3"),
        _ => None,
    }
}

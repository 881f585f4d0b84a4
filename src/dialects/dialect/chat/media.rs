//! Images, files, sound and films as parts of a message.

use serde_json::{Value, json};

use super::write::Writing;
use crate::chat::{Kind, Source, UNHEARD, UNKNOWN};
use crate::dialect::openai;

/// The part, or why the provider cannot be sent it.
pub(super) fn write(writing: &Writing<'_>, kind: &Kind) -> Result<Value, &'static str> {
    const ELSEWHERE: &str = "the file is at another provider";
    match kind {
        Kind::Image { source, detail, .. } => {
            let url = source.to_url().ok_or(ELSEWHERE)?;
            let mut image = json!({ "url": url });
            if let (Some(detail), Some(image)) = (detail, image.as_object_mut()) {
                image.insert("detail".to_owned(), detail.as_str().into());
            }
            Ok(json!({ "type": "image_url", "image_url": image }))
        }
        Kind::File { source, name } => file(writing, source, name.as_deref()),
        Kind::Audio(source) => audio(writing, source),
        Kind::Video(source) if writing.may("video_url") && !writing.quirks.original => {
            let url = source.to_url().ok_or(ELSEWHERE)?;
            Ok(json!({ "type": "video_url", "video_url": { "url": url } }))
        }
        Kind::Video(_) => Err("the target takes no films"),
        _ => Err("the target knows no such part"),
    }
}

fn file(writing: &Writing<'_>, source: &Source, name: Option<&str>) -> Result<Value, &'static str> {
    if let Source::FileId(id) = source {
        let file = if writing.own {
            Ok(json!({ "type": "file", "file": { "file_id": id } }))
        } else {
            Err("the file is at another provider")
        };
        return file;
    }
    let url = source.to_url().ok_or("the target takes no such file")?;
    if writing.quirks.knows.contains(&"document_url") {
        let mut part = json!({ "type": "document_url", "document_url": url });
        if let (Some(name), Some(part)) = (name, part.as_object_mut()) {
            part.insert("document_name".to_owned(), name.into());
        }
        return Ok(part);
    }
    if !writing.may("file") {
        return Err("the target takes no files");
    }
    let is_inline = matches!(source, Source::Base64 { .. });
    if !is_inline && !writing.own && !writing.quirks.knows.contains(&"file by url") {
        return Err("the target takes files inline only");
    }
    // A name must be there.
    let name = match source {
        Source::Base64 { media_type, .. } if !writing.own => openai::file_name(name, media_type),
        _ => name.unwrap_or("document.pdf").to_owned(),
    };
    Ok(json!({ "type": "file", "file": { "filename": name, "file_data": url } }))
}

fn audio(writing: &Writing<'_>, source: &Source) -> Result<Value, &'static str> {
    if writing.quirks.knows.contains(&"input_audio as text") {
        return match source {
            Source::Base64 { data, .. } => Ok(json!({ "type": "input_audio", "input_audio": data })),
            Source::Url { url, .. } => Ok(json!({ "type": "input_audio", "input_audio": url })),
            _ => Err("the target takes no such sound"),
        };
    }
    match source {
        Source::Base64 { media_type, .. } if media_type == UNKNOWN && writing.may("input_audio") => Err(UNHEARD),
        Source::Base64 { media_type, data } if writing.may("input_audio") => {
            let format = match media_type.as_str() {
                "audio/mpeg" | "audio/mp3" => "mp3",
                "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
                other => other.strip_prefix("audio/").unwrap_or(other),
            };
            Ok(json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }))
        }
        _ => Err("the target takes no such sound"),
    }
}

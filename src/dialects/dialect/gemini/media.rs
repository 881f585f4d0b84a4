//! Images, documents, sound and films (<https://ai.google.dev/gemini-api/docs/file-input-methods>): inline, or by an address.

use serde_json::{Value, json};

use super::model::Model;
use crate::chat::{Kind, Object, Source, UNHEARD, UNKNOWN};

/// Where Gemini keeps files, whose short names are `files/…`.
const FILES: &str = "https://generativelanguage.googleapis.com/";

/// What is called what, by the end of its name. Those that Gemini's guides name, and the aliases of them that are in use.
const TYPES: [(&str, &str); 35] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("gif", "image/gif"),
    ("bmp", "image/bmp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("xml", "text/xml"),
    ("rtf", "text/rtf"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("aiff", "audio/aiff"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("m4a", "audio/m4a"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("mov", "video/mov"),
    ("avi", "video/avi"),
    ("flv", "video/x-flv"),
    ("webm", "video/webm"),
    ("wmv", "video/wmv"),
    ("3gp", "video/3gpp"),
];

/// What a file is called, which stands before it: a part has no member that the model reads it from.
pub(super) fn title(kind: &Kind) -> Option<String> {
    match kind {
        Kind::File { source, name: Some(name) } if !matches!(source, Source::Text(_)) && !name.is_empty() => {
            Some(format!("{name}:"))
        }
        _ => None,
    }
}

/// A part that holds it, or why there is none. `name` is the file's, where it has one.
pub(super) fn write(source: &Source, name: Option<&str>, model: Model<'_>) -> Result<Value, &'static str> {
    match source {
        Source::Base64 { media_type, .. } if media_type == UNKNOWN => Err(UNHEARD),
        Source::Base64 { media_type, data } => {
            let known = (!media_type.is_empty()).then_some(media_type.as_str()).or_else(|| name.and_then(of_name));
            let mime = known.unwrap_or("application/octet-stream");
            Ok(json!({ "inlineData": { "mimeType": mime, "data": data } }))
        }
        Source::Text(text) => {
            let name = name.filter(|name| !name.is_empty());
            Ok(json!({ "text": name.map_or_else(|| text.clone(), |name| format!("{name}:\n{text}")) }))
        }
        Source::Url { url, media_type } => {
            let is_web = url.starts_with("https://") || url.starts_with("http://");
            if is_held(url) || is_web && model.fetches() {
                let mime = media_type.as_deref().or_else(|| of_url(url)).or_else(|| name.and_then(of_name));
                Ok(at(url, mime))
            } else if is_web {
                Err("this model of Gemini's fetches nothing: it takes content inline")
            } else {
                Err("Gemini takes no address of this kind")
            }
        }
        Source::FileId(id) if id.starts_with("files/") => Ok(at(&format!("{FILES}v1beta/{id}"), name.and_then(of_name))),
        Source::FileId(id) if is_held(id) => Ok(at(id, name.and_then(of_name))),
        Source::FileId(_) => Err("the file is at another provider"),
    }
}

/// What every model reaches: Google's own files, and films of `YouTube`'s.
fn is_held(url: &str) -> bool {
    let films = ["https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"];
    url.starts_with(FILES) || url.starts_with("gs://") || films.iter().any(|film| url.starts_with(film))
}

fn at(url: &str, mime: Option<&str>) -> Value {
    let mut file = Object::new();
    file.insert("fileUri".to_owned(), Value::from(url));
    file.extend(mime.map(|mime| ("mimeType".to_owned(), Value::from(mime))));
    json!({ "fileData": file })
}

fn of_url(url: &str) -> Option<&'static str> {
    of_name(url.split(['?', '#']).next().unwrap_or_default())
}

fn of_name(name: &str) -> Option<&'static str> {
    let end = name.rsplit('/').next()?.rsplit_once('.')?.1;
    TYPES.iter().find(|(known, _)| end.eq_ignore_ascii_case(known)).map(|(_, mime)| *mime)
}

//! How long a provider asks to be left alone.
//!
//! There is one standard way to say it and half a dozen others in use. They are tried from the most exact to the vaguest:
//!
//! 1. `retry-after-ms` (OpenAI, Azure): milliseconds;
//! 2. `retry-after` (RFC 9110, section 10.2.3): seconds, which some send with a fraction, or an HTTP date;
//! 3. Gemini's `RetryInfo` in the error's body: `"retryDelay": "34.4s"`;
//! 4. `x-ratelimit-reset-requests` and `-tokens` (OpenAI, Groq: `6m0s`, `1s`, `20ms`) where the matching `-remaining-` is 0;
//! 5. `x-ratelimit-reset`: seconds from now, or a point in Unix seconds or milliseconds (OpenRouter).
//!
//! Nothing is given where none of them is there, where it cannot be read, or where it lies in the past.

use std::time::Duration;

use serde_json::Value;

use crate::http::Headers;
use crate::time::Timestamp;

/// No provider is believed for longer: a mistaken or hostile value must not take a credential out of service for a day.
pub const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Numbers above this are points in time rather than durations, in seconds: nobody asks to be left alone for thirty years.
const POINT_FROM: f64 = 1e9;

/// How long the answer with these header fields and this body asks to wait, capped at [`LONGEST`].
#[must_use]
pub fn asked(headers: &Headers, body: &str, now: Timestamp) -> Option<Duration> {
    let field = |name: &str| headers.get(name).map(str::trim);
    let millis = || field("retry-after-ms")?.parse().ok().and_then(|millis: f64| seconds(millis / 1000.0));
    let standard = || field("retry-after").and_then(|value| number(value, now).or_else(|| date(value, now)));
    let reset = || {
        field("x-ratelimit-reset").and_then(|value| number(value, now).or_else(|| spelled(value)).or_else(|| date(value, now)))
    };
    let wait = millis().or_else(standard).or_else(|| retry_info(body)).or_else(|| exhausted(headers, now)).or_else(reset)?;
    Some(wait.min(LONGEST))
}

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// A number of seconds, or a point in Unix time.
fn number(value: &str, now: Timestamp) -> Option<Duration> {
    let value: f64 = value.parse().ok()?;
    if value < POINT_FROM {
        return seconds(value);
    }
    let in_seconds = if value >= POINT_FROM * 1000.0 { value / 1000.0 } else { value };
    let now = Duration::from_millis(now.as_millis());
    seconds(in_seconds)?.checked_sub(now).filter(|wait| !wait.is_zero())
}

/// An HTTP date (RFC 9110, section 5.6.7) or an RFC 3339 timestamp.
fn date(value: &str, now: Timestamp) -> Option<Duration> {
    let point = httpdate::parse_http_date(value).or_else(|_| humantime::parse_rfc3339_weak(value)).ok()?;
    let since_epoch = point.duration_since(std::time::UNIX_EPOCH).ok()?;
    since_epoch.checked_sub(Duration::from_millis(now.as_millis())).filter(|wait| !wait.is_zero())
}

/// A duration with units, as Go writes them: `6m0s`, `1.5s`, `20ms`.
fn spelled(value: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = value;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (amount, unit) = rest.split_at(digits);
        let end = unit.find(|character: char| character.is_ascii_digit()).unwrap_or(unit.len());
        let (unit, further) = unit.split_at(end);
        let in_seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total += amount.parse::<f64>().ok()? * in_seconds;
        rest = further;
    }
    if value.is_empty() { None } else { seconds(total) }
}

/// The longest reset among the limits of which nothing remains.
fn exhausted(headers: &Headers, now: Timestamp) -> Option<Duration> {
    let of = |what: &str| {
        let remaining: f64 = headers.get(&format!("x-ratelimit-remaining-{what}"))?.trim().parse().ok()?;
        let reset = headers.get(&format!("x-ratelimit-reset-{what}"))?.trim();
        (remaining <= 0.0).then(|| spelled(reset).or_else(|| number(reset, now)).or_else(|| date(reset, now))).flatten()
    };
    of("requests").max(of("tokens"))
}

/// `google.rpc.RetryInfo` among an error's details.
fn retry_info(body: &str) -> Option<Duration> {
    if !body.contains("retryDelay") {
        return None;
    }
    let root: Value = serde_json::from_str(body).ok()?;
    let root = root.get(0).unwrap_or(&root);
    let details = root.get("error")?.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    seconds(delay.strip_suffix('s')?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    #[test]
    fn every_way_of_being_told_to_wait() {
        // 2023-11-14T22:13:20Z
        let now = Timestamp::from_millis(1_700_000_000_000);
        let info = r#"[{"error":{"code":429,"details":[{"@type":"x"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}]"#;
        let rows: &[(&str, Fields, &str, Option<u64>)] = &[
            ("seconds", &[("retry-after", "7")], "", Some(7_000)),
            ("fraction of seconds", &[("retry-after", "0.25")], "", Some(250)),
            ("date", &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")], "", Some(30_000)),
            ("date in the past", &[("retry-after", "Tue, 14 Nov 2023 22:13:10 GMT")], "", None),
            ("milliseconds win", &[("retry-after", "2"), ("retry-after-ms", "1500")], "", Some(1_500)),
            ("unreadable milliseconds do not", &[("retry-after", "2"), ("retry-after-ms", "soon")], "", Some(2_000)),
            ("negative", &[("retry-after", "-1")], "", None),
            ("not a number", &[("retry-after", "NaN")], "", None),
            ("infinite", &[("retry-after", "inf")], "", None),
            ("words", &[("retry-after", "a while")], "", None),
            ("capped", &[("retry-after", "86400")], "", Some(300_000)),
            ("Gemini's body", &[], info, Some(34_400)),
            (
                "Go's spelling",
                &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m6.5s")],
                "",
                Some(66_500),
            ),
            (
                "milliseconds spelled",
                &[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "20ms")],
                "",
                Some(20),
            ),
            (
                "a limit that is not reached",
                &[("x-ratelimit-remaining-tokens", "9"), ("x-ratelimit-reset-tokens", "60s")],
                "",
                None,
            ),
            ("Unix milliseconds", &[("x-ratelimit-reset", "1700000012000")], "", Some(12_000)),
            ("Unix seconds", &[("x-ratelimit-reset", "1700000012")], "", Some(12_000)),
            ("RFC 3339", &[("x-ratelimit-reset", "2023-11-14T22:13:25Z")], "", Some(5_000)),
            ("nothing", &[], "", None),
        ];
        for (name, fields, body, expected) in rows {
            let headers: Headers = fields.iter().copied().collect();
            assert_eq!(asked(&headers, body, now), expected.map(Duration::from_millis), "{name}");
        }
    }
}

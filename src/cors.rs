//! Cross-origin requests (the Fetch standard's CORS protocol): browsers may call where `[cors] origins` names their page's origin.
//!
//! A preflight carries no key by design, so it is answered without one; it says only what would be allowed.

use crate::http::{self, Body, Headers, Request, Response};

/// The header fields of a response that a page may read, beside the provider's.
const EXPOSED: &str = "x-request-id, x-breakwater-target, x-breakwater-trace, x-breakwater-cache, x-breakwater-ignored, age, retry-after, retry-after-ms, \
                       x-should-retry, server-timing";

/// How long a browser may remember a preflight's answer, in seconds: Chromium caps it at two hours.
const MAX_AGE: &str = "7200";

/// The request's origin, if it is allowed.
fn allowed<'a>(origins: &[String], request: &'a Request) -> Option<&'a str> {
    let origin = request.headers.get("origin")?;
    origins.iter().any(|allowed| allowed == "*" || allowed == origin).then_some(origin)
}

/// Lets the page that sent this request read the response.
pub(crate) fn expose(origins: &[String], request: &Request, headers: &mut Headers) {
    if origins.is_empty() {
        return;
    }
    headers.push("vary", "origin");
    if let Some(origin) = allowed(origins, request) {
        headers.push("access-control-allow-origin", origin);
        headers.push("access-control-expose-headers", exposed(headers));
    }
}

/// The names of what a page may read of these. The provider's fields are named one by one, as there are: a wildcard covers nothing where a
/// request carries credentials.
fn exposed(headers: &Headers) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| name).filter(|name| http::is_providers(name)).collect();
    names.sort_unstable();
    names.dedup();
    names.insert(0, EXPOSED);
    names.join(", ")
}

/// The answer to `OPTIONS`.
pub(crate) fn preflight<S>(origins: &[String], request: &Request) -> Response<S> {
    let mut headers = Headers::new();
    if allowed(origins, request).is_some() {
        headers.push("access-control-allow-methods", "GET, POST, OPTIONS");
        // The wildcard does not cover `authorization`; what was asked for is what is needed.
        let asked = request.headers.get("access-control-request-headers").unwrap_or("authorization, content-type");
        headers.push("access-control-allow-headers", asked);
        headers.push("access-control-max-age", MAX_AGE);
    }
    Response { status: 204, headers, body: Body::Empty }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(origin: &str) -> Request {
        let headers = [("origin", origin), ("access-control-request-headers", "authorization,x-stainless-os")];
        Request { headers: headers.into_iter().collect(), ..Request::default() }
    }

    #[test]
    fn only_named_origins_are_let_in() {
        let origins = ["https://app.example".to_owned()];
        for (origin, let_in) in [("https://app.example", true), ("https://app.example.evil", false), ("null", false)] {
            let request = request(origin);
            let response: Response<()> = preflight(&origins, &request);
            assert_eq!(response.status, 204);
            assert_eq!(response.headers.get("access-control-allow-headers").is_some(), let_in, "{origin}");
            let mut headers = Headers::new();
            expose(&origins, &request, &mut headers);
            assert_eq!(headers.get("access-control-allow-origin"), let_in.then_some(origin));
            assert_eq!(headers.get("vary"), Some("origin"));
        }
    }

    #[test]
    fn what_the_provider_sent_is_exposed_by_its_names() {
        let sent = [
            ("x-ratelimit-remaining-tokens", "1"),
            ("anthropic-ratelimit-requests-limit", "2"),
            ("x-ratelimit-remaining-tokens", "3"),
            ("request-id", "r"),
            ("x-upstream-request-id", "u"),
            ("content-type", "application/json"),
            ("x-other", "no"),
        ];
        let theirs = "anthropic-ratelimit-requests-limit, request-id, x-ratelimit-remaining-tokens, x-upstream-request-id";
        let rows = [
            ("all", &sent[..], format!("{EXPOSED}, {theirs}")),
            ("one", &sent[4..], format!("{EXPOSED}, x-upstream-request-id")),
            ("none", &sent[5..], EXPOSED.to_owned()),
        ];
        for (name, sent, exposed) in rows {
            let mut headers: Headers = sent.iter().copied().collect();
            expose(&["*".to_owned()], &request("https://app.example"), &mut headers);
            assert_eq!(headers.get("access-control-expose-headers"), Some(exposed.as_str()), "{name}");
        }
    }

    #[test]
    fn without_origins_nothing_is_said() {
        let mut headers = Headers::new();
        expose(&[], &request("https://app.example"), &mut headers);
        assert_eq!(headers, Headers::new());
    }
}

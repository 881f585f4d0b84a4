//! Cross-origin requests (the Fetch standard's CORS protocol): browsers may call where `[cors] origins` names their page's origin.
//!
//! A preflight carries no key by design, so it is answered without one; it says only what would be allowed.

use crate::http::{Body, Headers, Request, Response};

/// The header fields of a response that a page may read.
const EXPOSED: &str = "x-request-id, x-breakwater-target, x-breakwater-trace, x-breakwater-cache, age, retry-after, retry-after-ms, \
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
        headers.push("access-control-expose-headers", EXPOSED);
    }
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
    fn without_origins_nothing_is_said() {
        let mut headers = Headers::new();
        expose(&[], &request("https://app.example"), &mut headers);
        assert_eq!(headers, Headers::new());
    }
}

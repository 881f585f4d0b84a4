//! Where a caller is, in the terms of Durable Objects.
//!
//! A provider that is unreachable from one part of the world may be well in another, and an object should be near those who ask it, so each
//! region of callers has its own. Source: Cloudflare's documentation, "Data location", on location hints, and "Request", on
//! `request.cf`.

/// Every location hint there is.
pub const ALL: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// The continents' and countries' location hint. `longitude` splits the two continents that have two; what is not known goes where most
/// of the internet is.
#[must_use]
pub fn hint(continent: &str, country: &str, longitude: f64) -> &'static str {
    match continent {
        // The Rocky Mountains are nearer to the west coast's data centres.
        "NA" if longitude < -104.0 => "wnam",
        "SA" => "sam",
        // Berlin is west, Warsaw east.
        "EU" if longitude > 15.0 => "eeur",
        "EU" => "weur",
        "AF" => "afr",
        "OC" => "oc",
        "AS" if MIDDLE_EAST.contains(&country) => "me",
        "AS" => "apac",
        _ => "enam",
    }
}

/// The countries of Asia that are nearer to the Gulf's data centres than to those of the Pacific.
const MIDDLE_EAST: [&str; 15] = ["AE", "BH", "CY", "GE", "IL", "IQ", "IR", "JO", "KW", "LB", "OM", "QA", "SA", "SY", "YE"];

#[cfg(test)]
mod tests {
    use super::{ALL, hint};

    #[test]
    fn every_hint_has_its_callers() {
        let rows = [
            ("NA", "US", -122.4, "wnam"),
            ("NA", "US", -74.0, "enam"),
            ("NA", "US", f64::NAN, "enam"),
            ("SA", "BR", -46.6, "sam"),
            ("EU", "FR", 2.3, "weur"),
            ("EU", "PL", 21.0, "eeur"),
            ("AF", "KE", 36.8, "afr"),
            ("OC", "AU", 151.2, "oc"),
            ("AS", "AE", 55.3, "me"),
            ("AS", "JP", 139.7, "apac"),
            ("AN", "AQ", 0.0, "enam"),
            ("", "", f64::NAN, "enam"),
        ];
        for (continent, country, longitude, expected) in rows {
            assert_eq!(hint(continent, country, longitude), expected, "{continent} {country} {longitude}");
            assert!(ALL.contains(&expected));
        }
        assert!(ALL.iter().all(|hint| rows.iter().any(|row| row.3 == *hint)));
    }
}

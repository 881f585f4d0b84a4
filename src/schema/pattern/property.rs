//! What characters are, by Unicode.

/// What `\w` means: with Unicode, too, no more than this.
pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// A property of characters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Property {
    Digit,
    Word,
    Space,
    Letter,
    UppercaseLetter,
    LowercaseLetter,
    Mark,
    Number,
    DecimalNumber,
    Alphabetic,
    Uppercase,
    Lowercase,
    WhiteSpace,
    Ascii,
    Any,
    Pictographic,
    EmojiComponent,
    RegionalIndicator,
}

impl Property {
    /// Those that `\p{…}` takes, for messages.
    pub(super) const NAMES: &str = "L, Lu, Ll, M, N, Nd (also by their long names), Alphabetic, Uppercase, Lowercase, White_Space, ASCII, Any, Extended_Pictographic, Emoji_Component and Regional_Indicator";

    pub(super) fn of_escape(letter: char) -> Self {
        match letter {
            'd' => Self::Digit,
            'w' => Self::Word,
            _ => Self::Space,
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix("General_Category=").or_else(|| name.strip_prefix("gc=")).unwrap_or(name);
        Some(match name {
            "L" | "Letter" => Self::Letter,
            "Lu" | "Uppercase_Letter" => Self::UppercaseLetter,
            "Ll" | "Lowercase_Letter" => Self::LowercaseLetter,
            "M" | "Mark" | "Combining_Mark" => Self::Mark,
            "N" | "Number" => Self::Number,
            "Nd" | "Decimal_Number" | "digit" => Self::DecimalNumber,
            "Alphabetic" | "Alpha" => Self::Alphabetic,
            "Uppercase" | "Upper" => Self::Uppercase,
            "Lowercase" | "Lower" => Self::Lowercase,
            "White_Space" | "space" => Self::WhiteSpace,
            "ASCII" => Self::Ascii,
            "Any" => Self::Any,
            "Extended_Pictographic" | "ExtPict" => Self::Pictographic,
            "Emoji_Component" | "EComp" => Self::EmojiComponent,
            "Regional_Indicator" | "RI" => Self::RegionalIndicator,
            _ => return None,
        })
    }

    pub(super) fn holds(self, character: char) -> bool {
        match self {
            Self::Digit => character.is_ascii_digit(),
            Self::Word => is_word(character),
            // ECMA-262's WhiteSpace and LineTerminator; the mark of byte order is one, U+0085 is not.
            Self::Space => character == '\u{feff}' || character != '\u{85}' && character.is_whitespace(),
            Self::Letter => {
                character.is_alphabetic()
                    && !is_in(&MARKS, character)
                    && !is_in(&LETTER_NUMBERS, character)
                    && !is_in(&LETTER_SYMBOLS, character)
            }
            Self::UppercaseLetter => {
                character.is_uppercase() && !is_in(&LETTER_NUMBERS, character) && !is_in(&LETTER_SYMBOLS, character)
            }
            Self::LowercaseLetter => character.is_lowercase() && !is_in(&OTHER_LOWERCASE, character),
            Self::Mark => is_in(&MARKS, character),
            Self::Number => character.is_numeric(),
            Self::DecimalNumber => is_in(&DIGITS, character),
            Self::Alphabetic => character.is_alphabetic(),
            Self::Uppercase => character.is_uppercase(),
            Self::Lowercase => character.is_lowercase(),
            Self::WhiteSpace => character.is_whitespace(),
            Self::Ascii => character.is_ascii(),
            Self::Any => true,
            Self::Pictographic => is_in(&PICTOGRAPHIC, character),
            // Signs of keycaps, what joins and varies, regional indicators, modifiers of skin and hair, and tags.
            Self::EmojiComponent => {
                matches!(
                    character,
                    '#' | '*' | '0'..='9' | '\u{200d}' | '\u{20e3}' | '\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}'
                        | '\u{1f9b0}'..='\u{1f9b3}' | '\u{e0020}'..='\u{e007f}'
                )
            }
            Self::RegionalIndicator => matches!(character, '\u{1f1e6}'..='\u{1f1ff}'),
        }
    }
}

fn is_in(table: &[(u32, u16)], character: char) -> bool {
    let code = u32::from(character);
    let after = table.partition_point(|(first, _)| *first <= code);
    let range = after.checked_sub(1).and_then(|at| table.get(at));
    range.is_some_and(|(first, count)| code - first < u32::from(*count))
}

// Ranges as their first character and their length, from the Unicode Character Database, version 17, as the standard library's: it has no general
// categories, but Alphabetic, Uppercase and Lowercase, which are letters with the following besides.

/// Mn, Mc, Me.
#[rustfmt::skip]
static MARKS: [(u32, u16); 327] = [
    (0x300, 112), (0x483, 7), (0x591, 45), (0x5BF, 1), (0x5C1, 2), (0x5C4, 2), (0x5C7, 1), (0x610, 11), (0x64B, 21), (0x670, 1), (0x6D6, 7),
    (0x6DF, 6), (0x6E7, 2), (0x6EA, 4), (0x711, 1), (0x730, 27), (0x7A6, 11), (0x7EB, 9), (0x7FD, 1), (0x816, 4), (0x81B, 9), (0x825, 3), (0x829, 5),
    (0x859, 3), (0x897, 9), (0x8CA, 24), (0x8E3, 33), (0x93A, 3), (0x93E, 18), (0x951, 7), (0x962, 2), (0x981, 3), (0x9BC, 1), (0x9BE, 7), (0x9C7, 2),
    (0x9CB, 3), (0x9D7, 1), (0x9E2, 2), (0x9FE, 1), (0xA01, 3), (0xA3C, 1), (0xA3E, 5), (0xA47, 2), (0xA4B, 3), (0xA51, 1), (0xA70, 2), (0xA75, 1),
    (0xA81, 3), (0xABC, 1), (0xABE, 8), (0xAC7, 3), (0xACB, 3), (0xAE2, 2), (0xAFA, 6), (0xB01, 3), (0xB3C, 1), (0xB3E, 7), (0xB47, 2), (0xB4B, 3),
    (0xB55, 3), (0xB62, 2), (0xB82, 1), (0xBBE, 5), (0xBC6, 3), (0xBCA, 4), (0xBD7, 1), (0xC00, 5), (0xC3C, 1), (0xC3E, 7), (0xC46, 3), (0xC4A, 4),
    (0xC55, 2), (0xC62, 2), (0xC81, 3), (0xCBC, 1), (0xCBE, 7), (0xCC6, 3), (0xCCA, 4), (0xCD5, 2), (0xCE2, 2), (0xCF3, 1), (0xD00, 4), (0xD3B, 2),
    (0xD3E, 7), (0xD46, 3), (0xD4A, 4), (0xD57, 1), (0xD62, 2), (0xD81, 3), (0xDCA, 1), (0xDCF, 6), (0xDD6, 1), (0xDD8, 8), (0xDF2, 2), (0xE31, 1),
    (0xE34, 7), (0xE47, 8), (0xEB1, 1), (0xEB4, 9), (0xEC8, 7), (0xF18, 2), (0xF35, 1), (0xF37, 1), (0xF39, 1), (0xF3E, 2), (0xF71, 20), (0xF86, 2),
    (0xF8D, 11), (0xF99, 36), (0xFC6, 1), (0x102B, 20), (0x1056, 4), (0x105E, 3), (0x1062, 3), (0x1067, 7), (0x1071, 4), (0x1082, 12), (0x108F, 1),
    (0x109A, 4), (0x135D, 3), (0x1712, 4), (0x1732, 3), (0x1752, 2), (0x1772, 2), (0x17B4, 32), (0x17DD, 1), (0x180B, 3), (0x180F, 1), (0x1885, 2),
    (0x18A9, 1), (0x1920, 12), (0x1930, 12), (0x1A17, 5), (0x1A55, 10), (0x1A60, 29), (0x1A7F, 1), (0x1AB0, 46), (0x1AE0, 12), (0x1B00, 5),
    (0x1B34, 17), (0x1B6B, 9), (0x1B80, 3), (0x1BA1, 13), (0x1BE6, 14), (0x1C24, 20), (0x1CD0, 3), (0x1CD4, 21), (0x1CED, 1), (0x1CF4, 1),
    (0x1CF7, 3), (0x1DC0, 64), (0x20D0, 33), (0x2CEF, 3), (0x2D7F, 1), (0x2DE0, 32), (0x302A, 6), (0x3099, 2), (0xA66F, 4), (0xA674, 10), (0xA69E, 2),
    (0xA6F0, 2), (0xA802, 1), (0xA806, 1), (0xA80B, 1), (0xA823, 5), (0xA82C, 1), (0xA880, 2), (0xA8B4, 18), (0xA8E0, 18), (0xA8FF, 1), (0xA926, 8),
    (0xA947, 13), (0xA980, 4), (0xA9B3, 14), (0xA9E5, 1), (0xAA29, 14), (0xAA43, 1), (0xAA4C, 2), (0xAA7B, 3), (0xAAB0, 1), (0xAAB2, 3), (0xAAB7, 2),
    (0xAABE, 2), (0xAAC1, 1), (0xAAEB, 5), (0xAAF5, 2), (0xABE3, 8), (0xABEC, 2), (0xFB1E, 1), (0xFE00, 16), (0xFE20, 16), (0x101FD, 1), (0x102E0, 1),
    (0x10376, 5), (0x10A01, 3), (0x10A05, 2), (0x10A0C, 4), (0x10A38, 3), (0x10A3F, 1), (0x10AE5, 2), (0x10D24, 4), (0x10D69, 5), (0x10EAB, 2),
    (0x10EFA, 6), (0x10F46, 11), (0x10F82, 4), (0x11000, 3), (0x11038, 15), (0x11070, 1), (0x11073, 2), (0x1107F, 4), (0x110B0, 11), (0x110C2, 1),
    (0x11100, 3), (0x11127, 14), (0x11145, 2), (0x11173, 1), (0x11180, 3), (0x111B3, 14), (0x111C9, 4), (0x111CE, 2), (0x1122C, 12), (0x1123E, 1),
    (0x11241, 1), (0x112DF, 12), (0x11300, 4), (0x1133B, 2), (0x1133E, 7), (0x11347, 2), (0x1134B, 3), (0x11357, 1), (0x11362, 2), (0x11366, 7),
    (0x11370, 5), (0x113B8, 9), (0x113C2, 1), (0x113C5, 1), (0x113C7, 4), (0x113CC, 5), (0x113D2, 1), (0x113E1, 2), (0x11435, 18), (0x1145E, 1),
    (0x114B0, 20), (0x115AF, 7), (0x115B8, 9), (0x115DC, 2), (0x11630, 17), (0x116AB, 13), (0x1171D, 15), (0x1182C, 15), (0x11930, 6), (0x11937, 2),
    (0x1193B, 4), (0x11940, 1), (0x11942, 2), (0x119D1, 7), (0x119DA, 7), (0x119E4, 1), (0x11A01, 10), (0x11A33, 7), (0x11A3B, 4), (0x11A47, 1),
    (0x11A51, 11), (0x11A8A, 16), (0x11B60, 8), (0x11C2F, 8), (0x11C38, 8), (0x11C92, 22), (0x11CA9, 14), (0x11D31, 6), (0x11D3A, 1), (0x11D3C, 2),
    (0x11D3F, 7), (0x11D47, 1), (0x11D8A, 5), (0x11D90, 2), (0x11D93, 5), (0x11EF3, 4), (0x11F00, 2), (0x11F03, 1), (0x11F34, 7), (0x11F3E, 5),
    (0x11F5A, 1), (0x13440, 1), (0x13447, 15), (0x1611E, 18), (0x16AF0, 5), (0x16B30, 7), (0x16F4F, 1), (0x16F51, 55), (0x16F8F, 4), (0x16FE4, 1),
    (0x16FF0, 2), (0x1BC9D, 2), (0x1CF00, 46), (0x1CF30, 23), (0x1D165, 5), (0x1D16D, 6), (0x1D17B, 8), (0x1D185, 7), (0x1D1AA, 4), (0x1D242, 3),
    (0x1DA00, 55), (0x1DA3B, 50), (0x1DA75, 1), (0x1DA84, 1), (0x1DA9B, 5), (0x1DAA1, 15), (0x1E000, 7), (0x1E008, 17), (0x1E01B, 7), (0x1E023, 2),
    (0x1E026, 5), (0x1E08F, 1), (0x1E130, 7), (0x1E2AE, 1), (0x1E2EC, 4), (0x1E4EC, 4), (0x1E5EE, 2), (0x1E6E3, 1), (0x1E6E6, 1), (0x1E6EE, 2),
    (0x1E6F5, 1), (0x1E8D0, 7), (0x1E944, 7), (0xE0100, 240),
];

/// Nl.
#[rustfmt::skip]
static LETTER_NUMBERS: [(u32, u16); 13] = [
    (0x16EE, 3), (0x2160, 35), (0x2185, 4), (0x3007, 1), (0x3021, 9), (0x3038, 3), (0xA6E6, 10), (0x10140, 53), (0x10341, 1), (0x1034A, 1),
    (0x103D1, 5), (0x12400, 111), (0x16FF4, 3),
];

/// So that are alphabetic: letters in circles and squares.
#[rustfmt::skip]
static LETTER_SYMBOLS: [(u32, u16); 4] = [
    (0x24B6, 52), (0x1F130, 26), (0x1F150, 26), (0x1F170, 26),
];

/// `Other_Lowercase`.
#[rustfmt::skip]
static OTHER_LOWERCASE: [(u32, u16); 28] = [
    (0xAA, 1), (0xBA, 1), (0x2B0, 9), (0x2C0, 2), (0x2E0, 5), (0x345, 1), (0x37A, 1), (0x10FC, 1), (0x1D2C, 63), (0x1D78, 1), (0x1D9B, 37),
    (0x2071, 1), (0x207F, 1), (0x2090, 13), (0x2170, 16), (0x24D0, 26), (0x2C7C, 2), (0xA69C, 2), (0xA770, 1), (0xA7F1, 4), (0xA7F8, 2), (0xAB5C, 4),
    (0xAB69, 1), (0x10780, 1), (0x10783, 3), (0x10787, 42), (0x107B2, 9), (0x1E030, 62),
];

/// Nd.
#[rustfmt::skip]
static DIGITS: [(u32, u16); 72] = [
    (0x30, 10), (0x660, 10), (0x6F0, 10), (0x7C0, 10), (0x966, 10), (0x9E6, 10), (0xA66, 10), (0xAE6, 10), (0xB66, 10), (0xBE6, 10), (0xC66, 10),
    (0xCE6, 10), (0xD66, 10), (0xDE6, 10), (0xE50, 10), (0xED0, 10), (0xF20, 10), (0x1040, 10), (0x1090, 10), (0x17E0, 10), (0x1810, 10),
    (0x1946, 10), (0x19D0, 10), (0x1A80, 10), (0x1A90, 10), (0x1B50, 10), (0x1BB0, 10), (0x1C40, 10), (0x1C50, 10), (0xA620, 10), (0xA8D0, 10),
    (0xA900, 10), (0xA9D0, 10), (0xA9F0, 10), (0xAA50, 10), (0xABF0, 10), (0xFF10, 10), (0x104A0, 10), (0x10D30, 10), (0x10D40, 10), (0x11066, 10),
    (0x110F0, 10), (0x11136, 10), (0x111D0, 10), (0x112F0, 10), (0x11450, 10), (0x114D0, 10), (0x11650, 10), (0x116C0, 10), (0x116D0, 20),
    (0x11730, 10), (0x118E0, 10), (0x11950, 10), (0x11BF0, 10), (0x11C50, 10), (0x11D50, 10), (0x11DA0, 10), (0x11DE0, 10), (0x11F50, 10),
    (0x16130, 10), (0x16A60, 10), (0x16AC0, 10), (0x16B50, 10), (0x16D70, 10), (0x1CCF0, 10), (0x1D7CE, 50), (0x1E140, 10), (0x1E2F0, 10),
    (0x1E4F0, 10), (0x1E5F1, 10), (0x1E950, 10), (0x1FBF0, 10),
];

/// `Extended_Pictographic`, which patterns for emoji are made of (zod's `z.emoji()`).
#[rustfmt::skip]
static PICTOGRAPHIC: [(u32, u16); 156] = [
    (0xA9, 1), (0xAE, 1), (0x203C, 1), (0x2049, 1), (0x2122, 1), (0x2139, 1), (0x2194, 6), (0x21A9, 2), (0x231A, 2), (0x2328, 1), (0x23CF, 1),
    (0x23E9, 11), (0x23F8, 3), (0x24C2, 1), (0x25AA, 2), (0x25B6, 1), (0x25C0, 1), (0x25FB, 4), (0x2600, 5), (0x260E, 1), (0x2611, 1), (0x2614, 2),
    (0x2618, 1), (0x261D, 1), (0x2620, 1), (0x2622, 2), (0x2626, 1), (0x262A, 1), (0x262E, 2), (0x2638, 3), (0x2640, 1), (0x2642, 1), (0x2648, 12),
    (0x265F, 2), (0x2663, 1), (0x2665, 2), (0x2668, 1), (0x267B, 1), (0x267E, 2), (0x2692, 6), (0x2699, 1), (0x269B, 2), (0x26A0, 2), (0x26A7, 1),
    (0x26AA, 2), (0x26B0, 2), (0x26BD, 2), (0x26C4, 2), (0x26C8, 1), (0x26CE, 2), (0x26D1, 1), (0x26D3, 2), (0x26E9, 2), (0x26F0, 6), (0x26F7, 4),
    (0x26FD, 1), (0x2702, 1), (0x2705, 1), (0x2708, 6), (0x270F, 1), (0x2712, 1), (0x2714, 1), (0x2716, 1), (0x271D, 1), (0x2721, 1), (0x2728, 1),
    (0x2733, 2), (0x2744, 1), (0x2747, 1), (0x274C, 1), (0x274E, 1), (0x2753, 3), (0x2757, 1), (0x2763, 2), (0x2795, 3), (0x27A1, 1), (0x27B0, 1),
    (0x27BF, 1), (0x2934, 2), (0x2B05, 3), (0x2B1B, 2), (0x2B50, 1), (0x2B55, 1), (0x3030, 1), (0x303D, 1), (0x3297, 1), (0x3299, 1), (0x1F004, 1),
    (0x1F02C, 4), (0x1F094, 12), (0x1F0AF, 2), (0x1F0C0, 1), (0x1F0CF, 2), (0x1F0F6, 10), (0x1F170, 2), (0x1F17E, 2), (0x1F18E, 1), (0x1F191, 10),
    (0x1F1AE, 56), (0x1F201, 15), (0x1F21A, 1), (0x1F22F, 1), (0x1F232, 9), (0x1F23C, 4), (0x1F249, 23), (0x1F266, 188), (0x1F324, 112), (0x1F396, 2),
    (0x1F399, 3), (0x1F39E, 83), (0x1F3F3, 3), (0x1F3F7, 4), (0x1F400, 254), (0x1F4FF, 63), (0x1F549, 6), (0x1F550, 24), (0x1F56F, 2), (0x1F573, 8),
    (0x1F587, 1), (0x1F58A, 4), (0x1F590, 1), (0x1F595, 2), (0x1F5A4, 2), (0x1F5A8, 1), (0x1F5B1, 2), (0x1F5BC, 1), (0x1F5C2, 3), (0x1F5D1, 3),
    (0x1F5DC, 3), (0x1F5E1, 1), (0x1F5E3, 1), (0x1F5E8, 1), (0x1F5EF, 1), (0x1F5F3, 1), (0x1F5FA, 86), (0x1F680, 70), (0x1F6CB, 8), (0x1F6D5, 17),
    (0x1F6E9, 1), (0x1F6EB, 6), (0x1F6F3, 13), (0x1F7DA, 38), (0x1F80C, 4), (0x1F848, 8), (0x1F85A, 6), (0x1F888, 8), (0x1F8AE, 2), (0x1F8BC, 4),
    (0x1F8C2, 14), (0x1F8D9, 39), (0x1F90C, 47), (0x1F93C, 10), (0x1F947, 185), (0x1FA58, 8), (0x1FA6E, 146), (0x1FC00, 1022),
];

#[cfg(test)]
mod tests {
    use super::Property;

    /// As many as the Unicode Character Database has, where the standard library follows the same version of it.
    #[test]
    fn categories() {
        if char::UNICODE_VERSION != (17, 0, 0) {
            return;
        }
        let table = [
            ("L", 145_672),
            ("Lu", 1_886),
            ("Ll", 2_283),
            ("M", 2_543),
            ("N", 1_924),
            ("Nd", 770),
            ("ExtPict", 2_848),
            ("EComp", 146),
            ("RI", 26),
        ];
        for (name, count) in table {
            let property = Property::named(name).unwrap();
            let found = ('\0'..=char::MAX).filter(|character| property.holds(*character)).count();
            assert_eq!(found, count, "{name}");
        }
    }
}

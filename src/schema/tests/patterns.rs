//! Patterns: by a table, and by another matcher that is as simple as can be, and may take as long as it likes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends when it is wrong"
)]

use std::collections::BTreeSet;

use breakwater_schema::Schema;
use proptest::prelude::*;
use serde_json::json;

fn matches(pattern: &str, text: &str) -> bool {
    let schema = Schema::compile(&json!({ "pattern": pattern }));
    schema.unwrap_or_else(|refusal| panic!("{pattern}: {}", refusal.message)).is_valid(&json!(text))
}

#[test]
fn what_is_matched() {
    let table: [(&str, &[&str], &[&str]); 67] = [
        ("", &["", "a"], &[]),
        ("a", &["a", "ba"], &["", "b", "A"]),
        ("^a", &["ab"], &["ba"]),
        ("a$", &["ba"], &["ab", "a\n"]),
        ("^$", &[""], &["\n", "a"]),
        ("^a|b$", &["ab", "cb", "ac"], &["ca", "bc"]),
        ("^.$", &["é", "🐲", "\u{85}"], &["", "\n", "\r", "\u{2028}", "\u{2029}", "ab"]),
        ("^[^]$", &["\n"], &[""]),
        ("[]", &[], &["", "a"]),
        (r"^\d$", &["0", "9"], &["٣", "a"]),
        (r"^\D$", &["٣", "a"], &["0"]),
        (r"^\w$", &["a", "Z", "0", "_"], &["é", "-", "ſ"]),
        (r"^\W$", &["é", "-"], &["a"]),
        (
            r"^\s$",
            &[" ", "\t", "\n", "\u{b}", "\u{c}", "\r", "\u{a0}", "\u{feff}", "\u{2029}", "\u{3000}", "\u{1680}"],
            &["\u{85}", "\u{200b}", "\u{180e}", "a"],
        ),
        (r"^\S$", &["\u{85}", "a"], &["\u{feff}"]),
        (r"\bfoo\b", &["foo", "a foo.", "é-foo"], &["foot", "_foo"]),
        (r"é\b", &["éa"], &["é", "é "]),
        (r"\Boo", &["foo"], &["oo", " oo"]),
        (r"^[\b]$", &["\u{8}"], &["b"]),
        (r"^\cJ\cj$", &["\n\n"], &["cJcj"]),
        (r"^\0$", &["\0"], &["0"]),
        (r"^\x41\u0042\u{43}\u{1F432}\uD83D\uDC32$", &["ABC🐲🐲"], &["ABC"]),
        (r"^\n\t\r\f\v$", &["\n\t\r\u{c}\u{b}"], &[]),
        (r"^\^\$\\\.\*\+\?\(\)\[\]\{\}\|\/\-$", &[r"^$\.*+?()[]{}|/-"], &[]),
        (r#"^\"\@\_\#$"#, &["\"@_#"], &[]),
        ("^[a-c]$", &["a", "b", "c"], &["d", "-", "A"]),
        ("^[a-]$", &["a", "-"], &["b"]),
        ("^[-a]$", &["a", "-"], &["b"]),
        (r"^[\w-]$", &["a", "-"], &["+"]),
        (r"^[\w-.]$", &["a", "-", "."], &["+", ","]),
        (r"^[a-\d]$", &["a", "-", "5"], &["b"]),
        (r"^[\]\\^-]$", &["]", "\\", "^", "-"], &["a", "["]),
        (r"^[^\s\d]$", &["a"], &[" ", "1"]),
        (r"^[^\D]$", &["1"], &["a"]),
        (r"^[🐲-🐴]$", &["🐲", "🐳"], &["🐱", "a"]),
        (r"^\p{L}\p{Letter}\p{gc=L}\p{General_Category=Letter}$", &["aéßπ", "漢ªǅʰ"], &["a1éß", "aéß\u{345}", "aéßⅣ", "aéßⓐ"]),
        (r"^\p{Lu}\p{Ll}\P{Ll}$", &["Aa1", "Éπ "], &["aaa", "Ⅳa1", "Aªa", "AaA\u{300}"]),
        (r"^[\p{L}\p{M}'’ -]+$", &["Zoë d’Arc", "O'Neill-Smith", "e\u{301}"], &["R2D2", ""]),
        (r"^\p{Nd}\p{N}[^\P{N}]$", &["1½Ⅳ", "٣٣٣"], &["½11"]),
        (r"^\p{ASCII}\p{Any}\p{White_Space}\p{Alphabetic}\p{Uppercase}\p{Lowercase}$", &["aé\u{85}ⅣⅣⅳ"], &["éé\u{85}ⅣⅣⅳ"]),
        ("^a{2}$", &["aa"], &["a", "aaa"]),
        ("^a{2,}$", &["aa", "aaaaa"], &["a"]),
        ("^(ab){1,2}?$", &["ab", "abab"], &["", "ababab"]),
        ("^a{,2}{x}a{1$", &["a{,2}{x}a{1"], &["aa"]),
        ("^(?:a|(?<name>b))*?c+?$", &["c", "abbacc"], &["ab", "dc"]),
        ("^((a*)*|b)*$", &["", "aab", "bbb"], &["c"]),
        ("^(a{0}b|(){3}c)$", &["b", "c"], &["ab"]),
        ("a(?=b)", &["ab", "xab"], &["a", "ac", "ba"]),
        ("a(?!b)", &["a", "ac", "aba"], &["ab", ""]),
        (r"^(?!\.)(?!.*\.\.)[^@]+@", &["a.b@"], &[".a@", "a..b@", "a@.."]),
        ("^(?:(?!ab).)*$", &["", "ba", "aa"], &["ab", "xaby"]),
        ("^(?=.*[a-z])(?=.*[0-9]).{4,}$", &["abc1", "1abcé"], &["abcd", "1234", "a1"]),
        ("(?=a(?!b(?=c)))..", &["ab", "abd", "abcad"], &["abc", "a"]),
        ("^(?!(?!a))", &["a", "ab"], &["", "b"]),
        ("^((?=.b)a|(?!.b)b)+$", &["ab", "b"], &["abb", "aa", "ba"]),
        ("(?=b)|^(?!)x|(?!)", &["ab"], &["", "a", "x"]),
        ("^(?=)$", &[""], &["a"]),
        ("b(?=$)", &["ab"], &["ba"]),
        ("^x(?=^)|^y(?!^)", &["y"], &["x"]),
        (r"é(?=\b)", &["éa"], &["é ", "é"]),
        (r"(?=\Ba)a", &["ba"], &["a", "-a"]),
        ("(?<=a)b", &["ab", "cab"], &["b", "cb", "ba"]),
        ("(?<!a)b", &["b", "cb", "abb"], &["ab", "a"]),
        ("(?<=^|,)x(?=,|$)", &["x", "a,x", "x,a", "a,x,b"], &["ax", "xa", "a,xb"]),
        ("(?<=a(?=bc)b)c(?<!x.*)", &["abc"], &["xabc", "bc", "ab"]),
        ("(?<=(?<!é)é{2,3})b", &["ééb", "éééb"], &["éb", "ééééb"]),
        (r"^[\p{ExtPict}\p{EComp}\p{RI}]+$", &["🐲", "👩\u{200d}🚀", "3\u{fe0f}\u{20e3}", "🇨🇭", "🏻"], &["a", "★", ""]),
    ];
    for (pattern, right, wrong) in table {
        for text in right {
            assert!(matches(pattern, text), "{pattern} on {text:?}");
        }
        for text in wrong {
            assert!(!matches(pattern, text), "{pattern} on {text:?}");
        }
    }
}

/// What ECMA-262 does not allow, with Unicode or without, or what cannot be matched in linear time.
#[test]
fn what_is_refused() {
    for pattern in [
        "x{2}{3}",
        "{2}",
        "x*{2}",
        "(*a)",
        "|*",
        "a++",
        r"\b+",
        "$?",
        "^{2}",
        "(?#a)",
        "(?P<a>b)",
        "(?i:a)",
        "(?>a)",
        "(?=a)*",
        "(?!a){2}",
        "(?<=a)+",
        "(?=a",
        "(?<!a",
        r"(a)(?=\1)",
        r"(?<n>a)\k<n>",
        r"\A",
        r"\z",
        r"\h",
        r"\p{L",
        r"\pL",
        r"\p{Greek}",
        r"\p{P}",
        r"\u{41",
        r"\u{}",
        r"\u{+41}",
        r"\u12",
        r"\uD83D",
        r"\xZZ",
        r"\c1",
        r"\01",
        r"\1",
        r"[\1]",
        "[z-a]",
        "[a",
        "(a",
        "a)",
        "(?<n",
        "a{3,1}",
    ] {
        let refusal = Schema::compile(&json!({ "pattern": pattern })).expect_err(pattern);
        assert!(refusal.at == "/pattern" && refusal.message.starts_with("the pattern "), "{pattern}: {refusal:?}");
    }
}

/// What a pattern says, as a tree.
#[derive(Clone, Debug)]
enum Tree {
    Text(&'static str, &'static [char], bool),
    Start,
    End,
    Boundary(bool),
    /// Whether ahead, and whether for what must not be there.
    Look(Box<Tree>, bool, bool),
    Sequence(Vec<Tree>),
    Either(Vec<Tree>),
    Repeat(Box<Tree>, usize, Option<usize>, &'static str),
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        6 => prop::sample::select(vec![
            Tree::Text("a", &['a'], true),
            Tree::Text("b", &['b'], true),
            Tree::Text("é", &['é'], true),
            Tree::Text("-", &['-'], true),
            Tree::Text(".", &['\n'], false),
            Tree::Text("[ab]", &['a', 'b'], true),
            Tree::Text("[^a-]", &['a', '-'], false),
            Tree::Text(r"\w", &['a', 'b'], true),
            Tree::Text(r"[\Wb]", &['a'], false),
            Tree::Text(r"\p{L}", &['a', 'b', 'é'], true),
            Tree::Text(r"[^\P{L}]", &['a', 'b', 'é'], true),
        ]),
        1 => prop::sample::select(vec![Tree::Start, Tree::End, Tree::Boundary(true), Tree::Boundary(false)]),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Sequence),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::Either),
            2 => (inner.clone(), any::<bool>(), any::<bool>())
                .prop_map(|(inner, ahead, negated)| Tree::Look(Box::new(inner), ahead, negated)),
            3 => (inner, prop::sample::select(vec![
                (0, None, "*"), (1, None, "+"), (0, Some(1), "?"), (0, None, "*?"), (1, None, "+?"), (0, Some(0), "{0}"), (2, Some(2), "{2}"),
                (1, Some(3), "{1,3}"), (2, None, "{2,}?"), (0, Some(2), "{0,2}"),
            ])).prop_map(|(inner, (least, most, text))| Tree::Repeat(Box::new(inner), least, most, text)),
        ]
    })
}

impl Tree {
    fn text(&self) -> String {
        match self {
            Self::Text(text, ..) => (*text).to_owned(),
            Self::Start => "^".to_owned(),
            Self::End => "$".to_owned(),
            Self::Boundary(there) => if *there { "\\b" } else { "\\B" }.to_owned(),
            Self::Look(inner, ahead, negated) => {
                let (way, sign) = (if *ahead { "" } else { "<" }, if *negated { "!" } else { "=" });
                format!("(?{way}{sign}{})", inner.text())
            }
            Self::Sequence(parts) => parts.iter().map(Self::text).collect(),
            Self::Either(parts) => format!("({})", parts.iter().map(Self::text).collect::<Vec<_>>().join("|")),
            Self::Repeat(inner, _, _, times) => format!("(?:{}){times}", inner.text()),
        }
    }

    /// Where a match that begins at `from` can end.
    fn ends(&self, text: &[char], from: usize) -> BTreeSet<usize> {
        let word =
            |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|at| at.is_ascii_alphanumeric() || *at == '_');
        let here = |holds: bool| if holds { BTreeSet::from([from]) } else { BTreeSet::new() };
        match self {
            Self::Text(_, of, within) => match text.get(from) {
                Some(at) if of.contains(at) == *within => BTreeSet::from([from + 1]),
                _ => BTreeSet::new(),
            },
            Self::Start => here(from == 0),
            Self::End => here(from == text.len()),
            Self::Boundary(there) => here((word(from.checked_sub(1)) != word(Some(from))) == *there),
            Self::Look(inner, true, negated) => here(inner.ends(text, from).is_empty() == *negated),
            Self::Look(inner, false, negated) => {
                here((0..=from).any(|before| inner.ends(text, before).contains(&from)) != *negated)
            }
            Self::Sequence(parts) => {
                parts.iter().fold(here(true), |ends, part| ends.iter().flat_map(|end| part.ends(text, *end)).collect())
            }
            Self::Either(parts) => parts.iter().flat_map(|part| part.ends(text, from)).collect(),
            Self::Repeat(inner, least, most, _) => {
                let again = |ends: &BTreeSet<usize>| -> BTreeSet<usize> {
                    ends.iter().flat_map(|end| inner.ends(text, *end)).collect()
                };
                let mut ends = (0..*least).fold(here(true), |ends, _| again(&ends));
                // Each time more ends, until there are no new ones.
                for _ in *least..most.unwrap_or(*least + text.len() + 1) {
                    ends = ends.union(&again(&ends)).copied().collect();
                }
                ends
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn as_a_simple_matcher_has_it(tree in tree(), texts in prop::collection::vec("[abé\\-\n]{0,7}", 6)) {
        let pattern = tree.text();
        prop_assume!(pattern.len() < 400);
        let Ok(schema) = Schema::compile(&json!({ "pattern": pattern })) else {
            // Too many states, by repetitions of repetitions.
            prop_assert!(pattern.len() > 60, "{}", pattern);
            return Ok(());
        };
        for text in texts {
            let chars: Vec<char> = text.chars().collect();
            let expected = (0..=chars.len()).any(|from| !tree.ends(&chars, from).is_empty());
            prop_assert_eq!(schema.is_valid(&json!(text)), expected, "{} on {:?}", pattern, text);
        }
    }
}

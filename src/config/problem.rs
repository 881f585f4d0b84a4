//! What is wrong with a configuration, all of it.

use std::cell::RefCell;
use std::fmt;

/// Everything that is wrong with a configuration, in the order of the document: at least one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The key path; empty where the document is not TOML.
    pub path: String,
    /// What was found and what is allowed; never a secret, and never what might be one.
    pub message: String,
}

impl Errors {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }
}

impl fmt::Display for Errors {
    /// One a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
        } else {
            write!(f, "line {}: {}: {}", self.line, self.path, self.message)
        }
    }
}

impl std::error::Error for Errors {}

/// Where problems are collected while a document is read.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<Problem>>);

#[derive(Debug)]
struct Problem {
    at: usize,
    path: String,
    message: String,
}

impl Problems {
    /// Adds one, at an offset into the document.
    pub(super) fn add(&self, at: usize, path: &str, message: impl Into<String>) {
        self.0.borrow_mut().push(Problem { at, path: path.to_owned(), message: message.into() });
    }

    /// All of them as errors, or nothing if there are none.
    pub(super) fn into_errors(self, document: &str) -> Option<Errors> {
        let mut problems: Vec<(usize, Problem)> = self.0.into_inner().into_iter().enumerate().collect();
        // Those of one place in the order in which they were found.
        problems.sort_unstable_by_key(|(nth, problem)| (problem.at, *nth));
        let error = |(_, Problem { at, path, message })| {
            let (line, column) = place(document, at);
            Error { line, column, path, message }
        };
        let errors: Vec<Error> = problems.into_iter().map(error).collect();
        (!errors.is_empty()).then_some(Errors(errors))
    }

    /// Adds what the TOML parser did not understand.
    pub(super) fn add_syntax(&self, document: &str, error: &toml::de::Error) {
        let at = error.span().map_or(document.len(), |span| span.start);
        self.add(at, "", format!("not TOML: {}", error.message()));
    }
}

/// Line and column of an offset, from 1; a column is a character.
fn place(document: &str, at: usize) -> (usize, usize) {
    let before = document.get(..at).unwrap_or(document);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The known name that was probably meant, as the end of a message.
pub(super) fn suggest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    // A third of the letters may be wrong: fewer and slips in long names go unnoticed, more and unrelated names are offered.
    let most = (name.chars().count() / 3).max(1);
    let near = known.map(|known| (distance(name, known), known)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| format!("; did you mean {known:?}?"))
}

/// The least number of letters to insert, leave out, replace, or exchange with their neighbour (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut above2: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, letter) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&above, j) + usize::from(letter != other);
            let mut least = replaced.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && left.get(i - 1) == Some(other) && right.get(j - 1) == Some(letter);
            if swapped {
                least = least.min(at(&above2, j - 1) + 1);
            }
            row.push(least);
        }
        above2 = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("kye", "key", 1),
            ("ab", "ba", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn suggestions() {
        let known = || ["listed", "fastest", "weighted"].into_iter();
        assert_eq!(suggest("wieghted", known()), Some("; did you mean \"weighted\"?".to_owned()));
        assert_eq!(suggest("fast", known()), None);
        assert_eq!(suggest("x", known()), None);
    }

    #[test]
    fn places() {
        let document = "ä = 1\nb = ü?\n";
        assert_eq!(place(document, 0), (1, 1));
        assert_eq!(place(document, document.find('?').expect("there")), (2, 6));
        assert_eq!(place(document, 1000), (3, 1));
    }
}

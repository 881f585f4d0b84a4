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
            write!(f, "line {}: {}", self.line, self.message)
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
        let mut problems = self.0.into_inner();
        problems.sort_by_key(|problem| problem.at);
        let errors: Vec<Error> = problems
            .into_iter()
            .map(|problem| Error { line: place(document, problem.at).0, path: problem.path, message: problem.message })
            .collect();
        (!errors.is_empty()).then_some(Errors(errors))
    }

    /// Adds what the TOML parser did not understand.
    pub(super) fn add_syntax(&self, document: &str, error: &toml::de::Error) {
        let at = error.span().map_or(document.len(), |span| span.start);
        let (_, column) = place(document, at);
        self.add(at, "", format!("column {column}: not TOML: {}", error.message()));
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

/// Levenshtein's edit distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut last = index + 1;
        for (other, above) in right.iter().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(letter != *other);
            diagonal = *above;
            last = substituted.min(last + 1).min(diagonal + 1);
            *above = last;
        }
        if let Some(first) = row.first_mut() {
            *first = index + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("flaw", "lawn", 2)]
        {
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

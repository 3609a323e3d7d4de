//! Notes that people leave in the app.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Notes kept, and characters of each.
const KEPT: usize = 20;
const LONGEST: usize = 280;

/// A note, cut to [`LONGEST`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) author: String,
    pub(super) text: String,
}

/// The last notes, newest first.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<VecDeque<Note>>);

impl Notes {
    /// Keeps a note; nothing where its text is empty.
    pub(super) fn leave(&self, author: &str, text: &str) {
        let text: String = text.trim().chars().take(LONGEST).collect();
        if text.is_empty() {
            return;
        }
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push_front(Note { author: author.to_owned(), text });
        notes.truncate(KEPT);
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_notes_are_kept_and_no_novels() {
        let notes = Notes::default();
        notes.leave("alice", "  \n ");
        (0..30).for_each(|n| notes.leave("alice", &format!("{n} {}", "x".repeat(1000))));
        let all = notes.all();
        assert_eq!(all.len(), 20);
        assert!(all[0].text.starts_with("29 ") && all.iter().all(|note| note.text.len() == 280));
    }
}

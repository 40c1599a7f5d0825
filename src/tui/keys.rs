//! The table of keys: key, action, help text. The help screen, the footer and the key handling all
//! read it, so that they cannot disagree.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Select the next row.
    Down,
    /// Select the row before.
    Up,
    /// Select the row a page on.
    PageDown,
    /// Select the row a page back.
    PageUp,
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Show all of the selected job.
    Details,
    /// Go back, or clear what is set.
    Back,
    /// Open pull requests.
    OpenPullRequest,
    /// Open branches on their host.
    OpenBranch,
    /// Copy links of pull requests.
    CopyLink,
    /// Copy job ids.
    CopyId,
    /// Type a filter.
    Filter,
    /// Go to a view, by its place in the table of views.
    View(usize),
    /// Go to the next view.
    NextView,
    /// Go to the view before.
    PreviousView,
    /// Sort by the next column.
    Sort,
    /// Turn the order round.
    Reverse,
    /// Show or hide the details pane.
    Pane,
    /// Mark or unmark the selected row.
    Mark,
    /// Poll the selected or marked jobs now.
    Poll,
    /// Poll all jobs now.
    PollAll,
    /// Show this run's errors.
    Errors,
    /// Show the keys.
    Help,
    /// Stop and go back to the shell.
    Suspend,
    /// Leave.
    Quit,
    /// Draw the whole screen anew.
    Redraw,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
}

impl Chord {
    const fn key(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    const fn char(c: char) -> Self {
        Self::key(KeyCode::Char(c))
    }

    const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: true,
        }
    }

    fn of(event: &KeyEvent) -> Self {
        Self {
            code: event.code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            code => write!(f, "{code}"),
        }
    }
}

/// One line of the table of keys.
#[derive(Debug)]
pub struct Binding {
    /// The keys that do it.
    pub chords: &'static [Chord],
    /// What they do.
    pub action: Action,
    /// What the help screen says.
    pub help: &'static str,
    /// What the footer says, for the few keys that it names.
    pub footer: Option<&'static str>,
}

const fn binding(chords: &'static [Chord], action: Action, help: &'static str) -> Binding {
    Binding {
        chords,
        action,
        help,
        footer: None,
    }
}

impl Binding {
    const fn in_footer(mut self, word: &'static str) -> Self {
        self.footer = Some(word);
        self
    }
}

/// All keys, in the order of the help screen; the footer drops from the left.
pub const BINDINGS: &[Binding] = &[
    binding(
        &[Chord::char('j'), Chord::key(KeyCode::Down)],
        Action::Down,
        "next job",
    ),
    binding(
        &[Chord::char('k'), Chord::key(KeyCode::Up)],
        Action::Up,
        "job before",
    ),
    binding(
        &[Chord::key(KeyCode::PageDown), Chord::ctrl('f')],
        Action::PageDown,
        "a page down (details, help, errors: scroll)",
    ),
    binding(
        &[Chord::key(KeyCode::PageUp), Chord::ctrl('b')],
        Action::PageUp,
        "a page up (details, help, errors: scroll)",
    ),
    binding(
        &[Chord::char('g'), Chord::key(KeyCode::Home)],
        Action::First,
        "first job",
    ),
    binding(
        &[Chord::char('G'), Chord::key(KeyCode::End)],
        Action::Last,
        "last job",
    ),
    binding(
        &[Chord::char('o')],
        Action::OpenPullRequest,
        "open the pull request (of all marked)",
    )
    .in_footer("open"),
    binding(
        &[Chord::char('O')],
        Action::OpenBranch,
        "open the branch on its host",
    ),
    binding(
        &[Chord::char('y')],
        Action::CopyLink,
        "copy the link of the pull request",
    )
    .in_footer("copy"),
    binding(&[Chord::char('Y')], Action::CopyId, "copy the job id"),
    binding(
        &[Chord::char('/')],
        Action::Filter,
        "filter: words, all of them; !word for not",
    )
    .in_footer("filter"),
    binding(
        &[Chord::key(KeyCode::Enter)],
        Action::Details,
        "all about the selected job",
    )
    .in_footer("details"),
    binding(
        &[Chord::key(KeyCode::Esc)],
        Action::Back,
        "back; then clears the marks, the filter, the view",
    )
    .in_footer("back"),
    binding(
        &[Chord::char('p')],
        Action::Pane,
        "details beside or below the table",
    ),
    binding(
        &[Chord::char(' ')],
        Action::Mark,
        "mark; o, O, y, Y and r then act on all marked",
    ),
    binding(&[Chord::char('r')], Action::Poll, "poll this job now"),
    binding(
        &[Chord::char('R')],
        Action::PollAll,
        "poll all jobs now, and look for keys again",
    ),
    binding(&[Chord::char('s')], Action::Sort, "sort by the next column"),
    binding(&[Chord::char('S')], Action::Reverse, "turn the order round"),
    binding(&[Chord::key(KeyCode::Tab)], Action::NextView, "next view"),
    binding(
        &[Chord::key(KeyCode::BackTab)],
        Action::PreviousView,
        "view before",
    ),
    binding(&[Chord::char('1')], Action::View(0), "all jobs"),
    binding(&[Chord::char('2')], Action::View(1), "jobs that need you"),
    binding(&[Chord::char('3')], Action::View(2), "active jobs"),
    binding(&[Chord::char('4')], Action::View(3), "completed jobs"),
    binding(&[Chord::char('5')], Action::View(4), "failed jobs"),
    binding(&[Chord::char('6')], Action::View(5), "archived jobs"),
    binding(
        &[Chord::char('e')],
        Action::Errors,
        "the errors of this run",
    ),
    binding(&[Chord::ctrl('l')], Action::Redraw, "draw the screen anew"),
    binding(&[Chord::ctrl('z')], Action::Suspend, "suspend"),
    binding(&[Chord::char('?')], Action::Help, "these keys").in_footer("help"),
    binding(&[Chord::char('q'), Chord::ctrl('c')], Action::Quit, "quit").in_footer("quit"),
];

/// What `event` asks for on the table and the panes, if anything.
pub fn action(event: &KeyEvent) -> Option<Action> {
    if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    let chord = Chord::of(event);
    BINDINGS
        .iter()
        .find(|binding| binding.chords.contains(&chord))
        .map(|binding| binding.action)
}

/// Whether `event` is Ctrl with this letter: the keys that work even where text is typed.
pub fn is_ctrl(event: &KeyEvent, letter: char) -> bool {
    Chord::of(event) == Chord::ctrl(letter)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::views::VIEWS;
    use super::*;

    #[test]
    fn no_key_does_two_things() {
        let all: Vec<String> = BINDINGS
            .iter()
            .flat_map(|b| b.chords)
            .map(ToString::to_string)
            .collect();
        let distinct: HashSet<&String> = all.iter().collect();
        assert_eq!(all.len(), distinct.len(), "{all:?}");
    }

    #[test]
    fn every_view_has_its_number_key() {
        for at in 0..VIEWS.len() {
            let digit = char::from_digit(u32::try_from(at).unwrap() + 1, 10).unwrap();
            let event = KeyEvent::new(KeyCode::Char(digit), KeyModifiers::NONE);
            assert_eq!(action(&event), Some(Action::View(at)));
        }
    }

    #[test]
    fn keys_read_as_people_write_them() {
        for (chord, want) in [
            (Chord::char('j'), "j"),
            (Chord::char(' '), "Space"),
            (Chord::ctrl('c'), "Ctrl-C"),
            (Chord::key(KeyCode::PageDown), "PgDn"),
            (Chord::key(KeyCode::Enter), "Enter"),
            (Chord::key(KeyCode::Esc), "Esc"),
            (Chord::key(KeyCode::BackTab), "Shift-Tab"),
        ] {
            assert_eq!(chord.to_string(), want);
        }
    }
}

//! The table of actions: name, default keys, help text. The [`Keymap`] is made from it and from what
//! the config says; the help screen, the footer, the hints and the key handling all read that, so
//! that they cannot disagree.

use crossterm::event::KeyCode;

pub use chord::Chord;
pub use keymap::{ActiveBinding, Keymap, is_ctrl};

use crate::view::views::ViewId;

mod chord;
mod keymap;

/// What a key does. Where jobs are meant, it is the marked ones, or else the selected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Details,
    /// Leaves the mode, or else clears the marks, the filter or the view.
    Back,
    OpenPullRequest,
    OpenBranch,
    CopyLink,
    CopyId,
    Filter,
    View(ViewId),
    NextView,
    PreviousView,
    Sort,
    ReverseSort,
    Pane,
    Mark,
    Poll,
    PollAll,
    NewJob,
    FollowUp,
    AddJobs,
    StopWatching,
    Errors,
    Help,
    Suspend,
    /// Leaves the mode, or else the program.
    Quit,
    /// Draws every cell again, where another program has written on the terminal.
    Redraw,
}

impl Action {
    /// Whether it does something to jobs, which must be on the screen for that.
    pub fn acts_on_jobs(self) -> bool {
        matches!(
            self,
            Self::OpenPullRequest
                | Self::OpenBranch
                | Self::CopyLink
                | Self::CopyId
                | Self::Poll
                | Self::FollowUp
                | Self::StopWatching
        )
    }
}

/// One line of the table of actions.
#[derive(Debug)]
pub struct Binding {
    /// What the config calls the action.
    pub name: &'static str,
    /// The keys unless the config says otherwise.
    pub default_chords: &'static [Chord],
    pub action: Action,
    /// What the help screen says.
    pub help: &'static str,
    /// What the footer says, for the few keys that it names, and its weight: where there is little
    /// room, the lightest go first.
    pub footer: Option<(&'static str, u8)>,
}

const fn binding(
    name: &'static str,
    default_chords: &'static [Chord],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        name,
        default_chords,
        action,
        help,
        footer: None,
    }
}

impl Binding {
    const fn in_footer(mut self, word: &'static str, weight: u8) -> Self {
        self.footer = Some((word, weight));
        self
    }
}

/// All actions, in the order of the help screen.
pub const BINDINGS: &[Binding] = &[
    binding(
        "down",
        &[Chord::char('j'), Chord::key(KeyCode::Down)],
        Action::Down,
        "next job",
    ),
    binding(
        "up",
        &[Chord::char('k'), Chord::key(KeyCode::Up)],
        Action::Up,
        "previous job",
    ),
    binding(
        "page-down",
        &[Chord::key(KeyCode::PageDown), Chord::ctrl('f')],
        Action::PageDown,
        "a page down (details, help, errors: scroll)",
    ),
    binding(
        "page-up",
        &[Chord::key(KeyCode::PageUp), Chord::ctrl('b')],
        Action::PageUp,
        "a page up (details, help, errors: scroll)",
    ),
    binding(
        "first",
        &[Chord::char('g'), Chord::key(KeyCode::Home)],
        Action::First,
        "first job",
    ),
    binding(
        "last",
        &[Chord::char('G'), Chord::key(KeyCode::End)],
        Action::Last,
        "last job",
    ),
    binding(
        "open",
        &[Chord::char('o')],
        Action::OpenPullRequest,
        "open the pull request (of all marked)",
    )
    .in_footer("open", 6),
    binding(
        "open-branch",
        &[Chord::char('O')],
        Action::OpenBranch,
        "open the branch on its host",
    ),
    binding(
        "copy-link",
        &[Chord::char('y')],
        Action::CopyLink,
        "copy the link of the pull request",
    )
    .in_footer("copy", 1),
    binding(
        "copy-id",
        &[Chord::char('Y')],
        Action::CopyId,
        "copy the job id",
    ),
    binding(
        "filter",
        &[Chord::char('/')],
        Action::Filter,
        "filter: words, all of them; !word for not",
    )
    .in_footer("filter", 2),
    binding(
        "details",
        &[Chord::key(KeyCode::Enter)],
        Action::Details,
        "details of the selected job",
    )
    .in_footer("details", 4),
    binding(
        "back",
        &[Chord::key(KeyCode::Esc)],
        Action::Back,
        "back; then clears the marks, the filter, the view",
    )
    .in_footer("back", 7),
    binding(
        "pane",
        &[Chord::char('p')],
        Action::Pane,
        "details beside or below the table",
    ),
    binding(
        "mark",
        &[Chord::char(' ')],
        Action::Mark,
        "mark; open, copy and poll then act on all marked",
    ),
    binding(
        "new",
        &[Chord::char('n')],
        Action::NewJob,
        "new job: write its prompt",
    ),
    binding(
        "follow-up",
        &[Chord::char('f')],
        Action::FollowUp,
        "follow-up to this job, or to all marked",
    ),
    binding(
        "add",
        &[Chord::char('a')],
        Action::AddJobs,
        "watch more jobs: paste their ids",
    ),
    binding(
        "stop-watching",
        &[Chord::char('x')],
        Action::StopWatching,
        "stop watching this job, or all marked (asks)",
    ),
    binding(
        "poll",
        &[Chord::char('r')],
        Action::Poll,
        "poll this job now",
    ),
    binding(
        "poll-all",
        &[Chord::char('R')],
        Action::PollAll,
        "poll all jobs now, and look for keys again",
    ),
    binding(
        "sort",
        &[Chord::char('s')],
        Action::Sort,
        "sort by the next column",
    ),
    binding(
        "reverse",
        &[Chord::char('S')],
        Action::ReverseSort,
        "reverse the order",
    ),
    binding(
        "next-view",
        &[Chord::key(KeyCode::Tab)],
        Action::NextView,
        "next view",
    ),
    binding(
        "previous-view",
        &[Chord::key(KeyCode::BackTab)],
        Action::PreviousView,
        "previous view",
    ),
    binding(
        "view-all",
        &[Chord::char('1')],
        Action::View(ViewId::nth(0)),
        "all jobs",
    ),
    binding(
        "view-needs-you",
        &[Chord::char('2')],
        Action::View(ViewId::nth(1)),
        "jobs that need you",
    ),
    binding(
        "view-active",
        &[Chord::char('3')],
        Action::View(ViewId::nth(2)),
        "active jobs",
    ),
    binding(
        "view-completed",
        &[Chord::char('4')],
        Action::View(ViewId::nth(3)),
        "completed jobs",
    ),
    binding(
        "view-failed",
        &[Chord::char('5')],
        Action::View(ViewId::nth(4)),
        "failed jobs",
    ),
    binding(
        "view-archived",
        &[Chord::char('6')],
        Action::View(ViewId::nth(5)),
        "archived jobs",
    ),
    binding(
        "errors",
        &[Chord::char('e')],
        Action::Errors,
        "the errors of this run",
    ),
    binding(
        "redraw",
        &[Chord::ctrl('l')],
        Action::Redraw,
        "redraw the screen",
    ),
    binding("suspend", &[Chord::ctrl('z')], Action::Suspend, "suspend"),
    binding("help", &[Chord::char('?')], Action::Help, "these keys").in_footer("help", 5),
    binding(
        "quit",
        &[Chord::char('q'), Chord::ctrl('c')],
        Action::Quit,
        "quit",
    )
    .in_footer("quit", 3),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_and_no_key_is_listed_twice() {
        let names: HashSet<_> = BINDINGS.iter().map(|binding| binding.name).collect();
        assert_eq!(names.len(), BINDINGS.len());
        let all: Vec<String> = BINDINGS
            .iter()
            .flat_map(|b| b.default_chords)
            .map(ToString::to_string)
            .collect();
        let distinct: HashSet<&String> = all.iter().collect();
        assert_eq!(all.len(), distinct.len(), "{all:?}");
    }

    #[test]
    fn every_view_has_its_number_key_and_its_name() {
        for (at, id) in ViewId::all().enumerate() {
            let binding = BINDINGS.iter().find(|b| b.action == Action::View(id));
            let binding = binding.unwrap();
            assert_eq!(binding.default_chords[0].to_string(), (at + 1).to_string());
            assert_eq!(binding.name, format!("view-{}", id.view().name));
        }
    }
}

//! The table of actions: name, default keys, help text. The [`Keymap`] is made from it and from what
//! the config says; the help screen, the footer, the hints and the key handling all read that, so
//! that they cannot disagree.

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
    HalfPageDown,
    HalfPageUp,
    First,
    Last,
    ScrollDown,
    ScrollUp,
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
    MarkAll,
    /// Marks from here to where the selection goes, until it is pressed again.
    MarkRange,
    Poll,
    PollAll,
    NewJob,
    FollowUp,
    AddJobs,
    /// Opens the user's editor, where a text is written.
    Editor,
    StopWatching,
    Errors,
    /// Shows what changed.
    Changes,
    /// Says that what changed has been seen.
    MarkSeen,
    /// Has jobs need nobody until they change, or takes that back.
    Acknowledge,
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
                | Self::Acknowledge
        )
    }
}

/// One line of the table of actions.
#[derive(Debug)]
pub struct Binding {
    pub action: Action,
    pub name: &'static str,
    /// As the config would write them, with spaces between them.
    default_keys: &'static str,
    /// What the help screen lists it under.
    pub group: &'static str,
    pub help: &'static str,
    /// A word and its weight, for an action that the footer names.
    pub footer: &'static [(&'static str, u8)],
}

impl Binding {
    /// The keys unless the config says otherwise.
    pub fn default_chords(&self) -> Vec<Chord> {
        // A test holds that each can be read.
        let keys = self.default_keys.split_whitespace();
        keys.filter_map(|key| Chord::parse(key).ok()).collect()
    }
}

macro_rules! bindings {
    ($($group:literal { $($action:expr, $name:literal, $keys:literal, $help:literal
        $(, in the footer $word:literal $weight:literal)?;)* })*) => {
        /// All actions, in the order of the help screen.
        pub const BINDINGS: &[Binding] = &[$($(Binding {
            action: { use Action::*; $action },
            name: $name,
            default_keys: $keys,
            group: $group,
            help: $help,
            footer: &[$(($word, $weight))?],
        }),*),*];
    };
}

// The action, what the config calls it, its keys, what the help screen says; for the few actions that
// the footer names, what it says and its weight: where there is little room, the lightest go first.
bindings! {
    "Move" {
    Down,                   "down",           "j down",      "next job";
    Up,                     "up",             "k up",        "previous job";
    HalfPageDown,           "half-page-down", "ctrl-d",      "half a page down";
    HalfPageUp,             "half-page-up",   "ctrl-u",      "half a page up";
    PageDown,               "page-down",      "pgdn ctrl-f", "a page down; scrolls text";
    PageUp,                 "page-up",        "pgup ctrl-b", "a page up; scrolls text";
    First,                  "first",          "g home",      "first job";
    Last,                   "last",           "G end",       "last job";
    ScrollDown,             "scroll-down",    "J",           "scroll the details down";
    ScrollUp,               "scroll-up",      "K",           "scroll the details up";
    }
    "Jobs" {
    OpenPullRequest,        "open",           "o",           "open the pull request", in the footer "open" 5;
    OpenBranch,             "open-branch",    "O",           "open the branch's page";
    CopyLink,               "copy-link",      "y",           "copy its link", in the footer "copy" 2;
    CopyId,                 "copy-id",        "Y",           "copy the job id";
    FollowUp,               "follow-up",      "f",           "write a follow-up", in the footer "follow up" 4;
    NewJob,                 "new",            "n",           "write a new job's prompt";
    AddJobs,                "add",            "a",           "watch more jobs: paste ids";
    Editor,                 "editor",         "ctrl-e",      "while writing: $EDITOR";
    Acknowledge,            "acknowledge",    "d",           "acknowledge, until it changes", in the footer "acknowledge" 2;
    StopWatching,           "stop-watching",  "x",           "stop watching (asks)";
    Poll,                   "poll",           "r",           "poll now";
    PollAll,                "poll-all",       "R",           "poll all, look for keys";
    }
    "Mark: the keys of jobs act on all" {
    Mark,                   "mark",           "space",       "mark this job", in the footer "marked" 7;
    MarkAll,                "mark-all",       "*",           "mark all that are shown";
    MarkRange,              "mark-range",     "v",           "mark from here to there", in the footer "end of range" 8;
    }
    "View" {
    Filter,                 "filter",         "/",           "filter: words, key:value", in the footer "filter" 1;
    Details,                "details",        "enter l",     "details of the job", in the footer "details" 3;
    Back,                   "back",           "esc h",       "back; clears marks, filter", in the footer "back" 6;
    Pane,                   "pane",           "p",           "details beside the table";
    Sort,                   "sort",           "s",           "sort by a column";
    ReverseSort,            "reverse",        "S",           "reverse the order";
    NextView,               "next-view",      "tab",         "next view, or project";
    PreviousView,           "previous-view",  "shift-tab",   "previous view, or project";
    Changes,                "changes",        "c",           "what changed, newest first";
    MarkSeen,               "mark-seen",      "C",           "mark all changes as seen", in the footer "mark as seen" 8;
    View(ViewId::nth(0)),   "view-all",       "1",           "all jobs";
    View(ViewId::nth(1)),   "view-needs-you", "2",           "jobs that need you";
    View(ViewId::nth(2)),   "view-active",    "3",           "active jobs";
    View(ViewId::nth(3)),   "view-completed", "4",           "completed jobs";
    View(ViewId::nth(4)),   "view-failed",    "5",           "failed jobs";
    View(ViewId::nth(5)),   "view-archived",  "6",           "archived jobs";
    View(ViewId::nth(6)),   "view-acknowledged", "D",        "acknowledged jobs";
    }
    "Program" {
    Errors,                 "errors",         "e",           "the errors of this run";
    Redraw,                 "redraw",         "ctrl-l",      "redraw the screen";
    Suspend,                "suspend",        "ctrl-z",      "suspend";
    Help,                   "help",           "?",           "these keys", in the footer "help" 9;
    Quit,                   "quit",           "q ctrl-c",    "quit", in the footer "quit" 10;
    }
}

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
            .flat_map(Binding::default_chords)
            .map(|chord| chord.to_string())
            .collect();
        let distinct: HashSet<&String> = all.iter().collect();
        assert_eq!(all.len(), distinct.len(), "{all:?}");
    }

    #[test]
    fn every_default_key_can_be_read() {
        for binding in BINDINGS {
            let keys = binding.default_keys.split_whitespace().count();
            assert_eq!(binding.default_chords().len(), keys, "{}", binding.name);
        }
    }

    #[test]
    fn every_view_has_its_name_and_key_and_the_steady_ones_numbers() {
        for (at, id) in ViewId::all().enumerate() {
            let binding = BINDINGS.iter().find(|b| b.action == Action::View(id));
            let binding = binding.unwrap();
            let key = if at < 6 {
                (at + 1).to_string()
            } else {
                String::from("D")
            };
            assert_eq!(binding.default_keys, key);
            assert_eq!(binding.name, format!("view-{}", id.view().name));
        }
    }
}

//! Which rows are on the screen, in which order, and which of them is selected.
//!
//! The selection is a [`JobKey`], never an index, so it stays on its job through refresh, sort and
//! filter. This file must not know keys, panes or styles.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::board::{Board, Row};
use crate::job::JobKey;
use crate::view::columns::{COLUMNS, STATUS};
use crate::view::filter::Filter;
use crate::view::views::VIEWS;

/// By which column the rows are sorted, and which way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The place of the column in the table of columns.
    pub column: usize,
    /// Whether the order is turned round.
    pub reversed: bool,
}

/// The rows that are shown, and the one that is selected.
#[derive(Debug)]
pub struct Listing {
    view: usize,
    filter: Filter,
    sort: Sort,
    /// The columns from left to right, by their places in the table of columns.
    columns: Vec<usize>,
    /// Indices into the board's rows, all of them, sorted as of the last refresh.
    in_order: Vec<usize>,
    /// Those of them that the view and the filter let through.
    rows: Vec<usize>,
    selected: Option<JobKey>,
    /// A job to select as soon as it is there.
    awaited: Option<JobKey>,
    /// Where in `rows` the selection is.
    cursor: usize,
    /// The first of `rows` on the screen.
    top: usize,
    /// How many rows the screen has room for.
    height: usize,
    marked: HashSet<JobKey>,
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            column: STATUS,
            reversed: false,
        }
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            view: 0,
            filter: Filter::default(),
            sort: Sort::default(),
            columns: (0..COLUMNS.len()).collect(),
            in_order: Vec::new(),
            rows: Vec::new(),
            selected: None,
            awaited: None,
            cursor: 0,
            top: 0,
            height: 1,
            marked: HashSet::new(),
        }
    }
}

impl Listing {
    /// Filters and sorts anew, and finds the selection again.
    pub fn refresh(&mut self, board: &Board) {
        let rows = board.rows();
        self.marked.retain(|key| board.row(key).is_some());
        self.in_order.retain(|at| *at < rows.len());
        self.in_order.extend(self.in_order.len()..rows.len());
        // The order from before is nearly right, which makes the sort cheap; equal rows keep the
        // order of the config.
        let sort = self.sort;
        self.in_order
            .sort_by(|a, b| compare(sort, &rows[*a], &rows[*b]).then(a.cmp(b)));
        let shows = VIEWS[self.view].shows;
        let wanted = |at: &usize| shows(&rows[*at]) && self.filter.matches(&rows[*at]);
        self.rows.clear();
        self.rows
            .extend(self.in_order.iter().copied().filter(wanted));
        self.find_selection(board);
    }

    /// Selects `job`, as soon as it is among the rows.
    pub fn select_job(&mut self, job: JobKey, board: &Board) {
        self.awaited = Some(job);
        self.find_selection(board);
    }

    fn find_selection(&mut self, board: &Board) {
        let rows = board.rows();
        let place = |key: &JobKey| self.rows.iter().position(|at| rows[*at].key() == key);
        let awaited = self.awaited.as_ref().and_then(place);
        if awaited.is_some() {
            self.awaited = None;
        }
        let found = awaited.or_else(|| self.selected.as_ref().and_then(place));
        self.cursor = found
            .unwrap_or(self.cursor)
            .min(self.rows.len().saturating_sub(1));
        self.select(board);
    }

    /// Moves the selection by `rows`, down where positive.
    pub fn step(&mut self, rows: isize, board: &Board) {
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
        self.select(board);
    }

    /// Selects the row that stands `nth` on the screen, from 0, and returns it.
    pub fn select_shown<'a>(&mut self, nth: usize, board: &'a Board) -> Option<&'a Row> {
        let cursor = self.top + nth;
        if nth >= self.height || cursor >= self.rows.len() {
            return None;
        }
        self.cursor = cursor;
        self.select(board);
        self.selected_row(board)
    }

    /// Moves the selection by a page, down where `pages` is positive.
    pub fn page(&mut self, pages: isize, board: &Board) {
        let height = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        self.step(pages.saturating_mul(height), board);
    }

    fn select(&mut self, board: &Board) {
        self.selected = self.row_at(self.cursor, board).map(|row| row.key().clone());
        self.scroll_to_selection();
    }

    fn scroll_to_selection(&mut self) {
        let lowest = self.cursor.saturating_sub(self.height.saturating_sub(1));
        let fullest = self.rows.len().saturating_sub(self.height);
        self.top = self
            .top
            .clamp(lowest, self.cursor.max(lowest))
            .min(fullest.max(lowest));
    }

    /// The screen has room for `height` rows from now on.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.scroll_to_selection();
    }

    /// Goes to a view, by its place in the table of views.
    pub fn set_view(&mut self, view: usize, board: &Board) {
        self.view = view.min(VIEWS.len() - 1);
        self.refresh(board);
    }

    /// Goes `by` views on, round the end.
    pub fn turn_view(&mut self, by: usize, board: &Board) {
        self.set_view((self.view + by) % VIEWS.len(), board);
    }

    /// Filters by `text` from now on.
    pub fn set_filter(&mut self, text: &str, board: &Board) {
        self.filter.set(text);
        self.refresh(board);
    }

    /// Shows these columns from now on, by their places in the table of columns.
    pub fn set_columns(&mut self, columns: Vec<usize>) {
        self.columns = columns;
    }

    /// Starts with this view and order, before any board is seen.
    pub fn start_with(&mut self, view: usize, sort: Sort) {
        self.view = view.min(VIEWS.len() - 1);
        self.sort = sort;
    }

    /// Sorts by the next of the columns that are shown.
    pub fn next_sort(&mut self, board: &Board) {
        let column = self.sort.column;
        let here = self.columns.iter().position(|at| *at == column);
        let next = here.map_or(0, |here| (here + 1) % self.columns.len());
        let column = self.columns.get(next).copied().unwrap_or(column);
        let reversed = false;
        self.sort = Sort { column, reversed };
        self.refresh(board);
    }

    /// Sorts by this column, or turns the order round where it is sorted by it already.
    pub fn sort_by(&mut self, column: usize, board: &Board) {
        if self.sort.column == column {
            return self.reverse_sort(board);
        }
        let reversed = false;
        self.sort = Sort { column, reversed };
        self.refresh(board);
    }

    /// Turns the order round.
    pub fn reverse_sort(&mut self, board: &Board) {
        self.sort.reversed = !self.sort.reversed;
        self.refresh(board);
    }

    /// Marks the selected row, or takes its mark away, and goes on to the next.
    pub fn toggle_mark(&mut self, board: &Board) {
        if let Some(key) = &self.selected {
            if !self.marked.remove(key) {
                self.marked.insert(key.clone());
            }
            self.step(1, board);
        }
    }

    /// Takes all marks away; whether there were any.
    pub fn clear_marks(&mut self) -> bool {
        let any = !self.marked.is_empty();
        self.marked.clear();
        any
    }

    /// The view, by its place in the table of views.
    pub fn view(&self) -> usize {
        self.view
    }

    /// What is filtered by.
    pub fn filter(&self) -> &str {
        self.filter.text()
    }

    /// How the rows are sorted.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// The columns from left to right, by their places in the table of columns.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// How many rows the view and the filter let through.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where the selection is among the rows, from 0.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The job that is selected.
    pub fn selected(&self) -> Option<&JobKey> {
        self.selected.as_ref()
    }

    /// The row that is selected.
    pub fn selected_row<'a>(&self, board: &'a Board) -> Option<&'a Row> {
        board.row(self.selected.as_ref()?)
    }

    /// Whether this job is marked.
    pub fn is_marked(&self, key: &JobKey) -> bool {
        self.marked.contains(key)
    }

    /// How many jobs are marked.
    pub fn marked(&self) -> usize {
        self.marked.len()
    }

    /// What a key acts on: the marked rows that the view and the filter let through, in their
    /// order, else the selected one. What is not shown is never acted on.
    pub fn targets<'a>(&self, board: &'a Board) -> Vec<&'a Row> {
        let shown = self.rows.iter().filter_map(|at| board.rows().get(*at));
        let marked: Vec<&Row> = shown.filter(|row| self.is_marked(row.key())).collect();
        if marked.is_empty() {
            return self.selected_row(board).into_iter().collect();
        }
        marked
    }

    /// The rows on the screen, from the top one on.
    pub fn window<'a>(&'a self, board: &'a Board) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.iter().skip(self.top).take(self.height);
        rows.filter_map(|at| board.rows().get(*at))
    }

    fn row_at<'a>(&self, place: usize, board: &'a Board) -> Option<&'a Row> {
        board.rows().get(*self.rows.get(place)?)
    }
}

fn compare(sort: Sort, a: &Row, b: &Row) -> Ordering {
    let order = (COLUMNS[sort.column].compare)(a, b);
    if sort.reversed {
        order.reverse()
    } else {
        order
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::job::{Job, Status};

    fn board(statuses: &[Status]) -> Board {
        let project = Arc::new(Project {
            id: "p".into(),
            name: None,
        });
        let key = |at: usize| JobKey::new("p", format!("job_{at:03}"));
        let mut board = Board::new((0..statuses.len()).map(|at| Watched {
            key: key(at),
            project: Arc::clone(&project),
            label: None,
            tags: Vec::new(),
        }));
        for (at, status) in statuses.iter().enumerate() {
            set(&mut board, &key(at), status.clone());
        }
        board
    }

    fn set(board: &mut Board, key: &JobKey, status: Status) {
        let job = Job {
            status: Some(status),
            ..Job::default()
        };
        board.apply(
            key,
            Update::Fetched {
                job,
                fresh_for: None,
            },
            Timestamp::UNIX_EPOCH,
        );
    }

    fn shown(listing: &Listing, board: &Board) -> Vec<String> {
        listing
            .window(board)
            .map(|row| row.key().id.to_string())
            .collect()
    }

    fn listing(board: &Board) -> Listing {
        let mut listing = Listing::default();
        listing.set_height(3);
        listing.refresh(board);
        listing
    }

    #[test]
    fn what_needs_you_comes_first_and_what_is_done_last() {
        let board = board(&[Status::Archived, Status::Active, Status::Failed]);
        let listing = listing(&board);
        assert_eq!(shown(&listing, &board), ["job_002", "job_001", "job_000"]);
    }

    #[test]
    fn the_selection_stays_on_its_job_when_the_order_changes() {
        let mut board = board(&[
            Status::Active,
            Status::Active,
            Status::Active,
            Status::Active,
        ]);
        let mut listing = listing(&board);
        listing.step(3, &board);
        let key = listing.selected().unwrap().clone();
        assert_eq!(&*key.id, "job_003");
        set(&mut board, &key, Status::Failed);
        listing.refresh(&board);
        assert_eq!(listing.selected(), Some(&key));
        assert_eq!(listing.cursor(), 0);
        listing.reverse_sort(&board);
        assert_eq!(listing.selected(), Some(&key));
        assert_eq!(listing.cursor(), 3);
    }

    #[test]
    fn a_selection_that_leaves_the_view_gives_its_place_to_the_next() {
        let mut board = board(&[Status::Failed, Status::Failed, Status::Failed]);
        let mut listing = listing(&board);
        listing.set_view(4, &board);
        listing.step(1, &board);
        set(&mut board, &JobKey::new("p", "job_001"), Status::Active);
        listing.refresh(&board);
        assert_eq!(&*listing.selected().unwrap().id, "job_002");
        set(&mut board, &JobKey::new("p", "job_002"), Status::Active);
        listing.refresh(&board);
        assert_eq!(&*listing.selected().unwrap().id, "job_000");
        set(&mut board, &JobKey::new("p", "job_000"), Status::Active);
        listing.refresh(&board);
        assert_eq!((listing.selected(), listing.len()), (None, 0));
    }

    #[test]
    fn keys_act_on_the_marked_rows_or_else_on_the_selected_one() {
        let board = board(&[Status::Active, Status::Active, Status::Active]);
        let mut listing = listing(&board);
        assert_eq!(listing.targets(&board).len(), 1);
        listing.toggle_mark(&board);
        listing.toggle_mark(&board);
        let ids: Vec<_> = listing
            .targets(&board)
            .iter()
            .map(|row| row.key().id.clone())
            .collect();
        assert_eq!(ids, ["job_000".into(), "job_001".into()] as [Arc<str>; 2]);
        assert!(listing.clear_marks() && !listing.clear_marks());
    }

    #[test]
    fn marks_that_are_not_shown_are_not_acted_on() {
        let board = board(&[Status::Active, Status::Failed, Status::Active]);
        let mut listing = listing(&board);
        listing.toggle_mark(&board);
        listing.set_view(2, &board);
        let ids: Vec<_> = listing
            .targets(&board)
            .iter()
            .map(|row| row.key().id.clone())
            .collect();
        assert_eq!(ids, [listing.selected().unwrap().id.clone()]);
        assert_eq!(listing.marked(), 1);
        listing.set_view(0, &board);
        assert_eq!(&*listing.targets(&board)[0].key().id, "job_001");
    }

    proptest! {
        /// Wherever it goes, the selection is on the screen and no row of the screen is empty that
        /// could be full.
        #[test]
        fn the_selection_is_always_on_the_screen(
            count in 0_usize..60,
            steps in prop::collection::vec((0_u8..7, 0_usize..70), 1..60),
        ) {
            let board = board(&vec![Status::Active; count]);
            let mut listing = listing(&board);
            for (step, amount) in steps {
                let signed = isize::try_from(amount).unwrap();
                match step {
                    0 => listing.step(signed, &board),
                    1 => listing.step(-signed, &board),
                    2 => listing.page(1, &board),
                    3 => listing.page(-1, &board),
                    4 => listing.set_height(amount),
                    5 => listing.set_filter(&amount.to_string(), &board),
                    _ => listing.set_filter("", &board),
                }
                let shown = shown(&listing, &board);
                prop_assert_eq!(shown.len(), listing.height.min(listing.len()));
                if let Some(selected) = listing.selected() {
                    prop_assert!(shown.iter().any(|id| **id == *selected.id));
                }
            }
        }
    }
}

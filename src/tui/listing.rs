//! Which rows are on the screen, in which order, and which of them is selected or marked.
//!
//! The selection is a [`JobKey`], never an index, so it stays on its job through refresh, sort and
//! filter. This file must not know keys, panes or styles.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::board::{Board, Row};
use crate::job::JobKey;
use crate::view::columns::ColumnId;
use crate::view::filter::Filter;
use crate::view::order::Sort;
use crate::view::views::ViewId;

/// Rows that are being marked, from one to wherever the selection goes.
#[derive(Debug)]
struct Range {
    from: JobKey,
    /// What was marked before.
    before: HashSet<JobKey>,
}

#[derive(Debug)]
pub struct Listing {
    view: ViewId,
    filter: Filter,
    sort: Sort,
    /// From left to right.
    columns: Vec<ColumnId>,
    /// Indices into the board's rows, all of them, sorted as of the last refresh.
    sorted: Vec<usize>,
    /// Those of them that pass the view and the filter.
    rows: Vec<usize>,
    selected: Option<JobKey>,
    /// Whether the selection stays on its job; until the user has moved it, it is the top row.
    chosen: bool,
    /// A job to select as soon as it is among the rows.
    pending_selection: Option<JobKey>,
    /// Where in `rows` the selection is.
    cursor: usize,
    /// The first of `rows` on the screen.
    top: usize,
    /// How many rows the screen has room for.
    height: usize,
    marked: HashSet<JobKey>,
    range: Option<Range>,
    /// While a filter is typed: the selection from before, and whether it was chosen.
    before_search: Option<(Option<JobKey>, bool)>,
    /// A selection that does not pass gives way to the top row, and not to its neighbour.
    is_searching: bool,
    /// What time it was at the last look.
    time: Timestamp,
    /// How often the rows that pass, or what they show, may have changed.
    changes: u64,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            view: ViewId::EVERYTHING,
            filter: Filter::default(),
            sort: Sort::default(),
            columns: ColumnId::all().collect(),
            sorted: Vec::new(),
            rows: Vec::new(),
            selected: None,
            chosen: false,
            pending_selection: None,
            cursor: 0,
            top: 0,
            height: 1,
            marked: HashSet::new(),
            range: None,
            before_search: None,
            is_searching: false,
            time: Timestamp::UNIX_EPOCH,
            changes: 0,
        }
    }
}

impl Listing {
    /// Whether a row is stale depends on the time.
    pub fn set_time(&mut self, now: Timestamp) {
        self.time = now;
    }

    /// Sorts and filters the rows again, and moves the cursor to where the selection is now.
    pub fn refresh(&mut self, board: &Board) {
        let rows = board.rows();
        self.marked.retain(|key| board.row(key).is_some());
        if let Some(range) = &mut self.range {
            range.before.retain(|key| board.row(key).is_some());
        }
        self.sorted.retain(|index| *index < rows.len());
        self.sorted.extend(self.sorted.len()..rows.len());
        // The order from before is nearly right, which makes the sort cheap; equal rows keep the
        // order of the config.
        let sort = self.sort;
        self.sorted
            .sort_by(|a, b| sort.compare(&rows[*a], &rows[*b]).then(a.cmp(b)));
        let shows = self.view.view().shows;
        let passes =
            |index: &usize| shows(&rows[*index]) && self.filter.matches(&rows[*index], self.time);
        self.rows.clear();
        self.rows.extend(self.sorted.iter().copied().filter(passes));
        self.changes += 1;
        self.find_selection(board);
    }

    /// Selects `job`, as soon as it is among the rows.
    pub fn select_job(&mut self, job: JobKey, board: &Board) {
        self.pending_selection = Some(job);
        self.find_selection(board);
    }

    /// Selects `job`, without the view and the filter where it does not pass them.
    pub fn show_job(&mut self, job: JobKey, board: &Board) {
        self.select_job(job, board);
        if self.pending_selection.is_some() {
            self.view = ViewId::EVERYTHING;
            self.filter.set("");
            self.refresh(board);
        }
    }

    fn find_selection(&mut self, board: &Board) {
        let rows = board.rows();
        // The board may be a newer one than that of the last refresh.
        let is = |index: &usize, key: &JobKey| rows.get(*index).is_some_and(|row| row.key() == key);
        let find = |key: &JobKey| self.rows.iter().position(|index| is(index, key));
        let pending = self.pending_selection.as_ref().and_then(find);
        if pending.is_some() {
            self.pending_selection = None;
            self.chosen = true;
        }
        let selected = self.selected.as_ref().filter(|_| self.chosen);
        let found = pending.or_else(|| selected.and_then(find));
        let found = found.or_else(|| self.is_searching.then_some(0));
        self.cursor = found
            .unwrap_or(self.cursor)
            .min(self.rows.len().saturating_sub(1));
        self.select(board);
    }

    /// From now on the selection stays on its job: the user acts on it, or reads about it.
    pub fn keep_selection(&mut self) {
        self.chosen = true;
    }

    /// Moves the selection by so many rows, down where positive.
    pub fn step(&mut self, rows: isize, board: &Board) {
        let last = self.rows.len().saturating_sub(1);
        self.keep_selection();
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
        self.select(board);
        self.mark_range(board);
    }

    /// Selects the `nth` row on the screen, from 0, and returns it.
    pub fn select_shown<'a>(&mut self, nth: usize, board: &'a Board) -> Option<&'a Row> {
        let cursor = self.top + nth;
        if nth >= self.height || cursor >= self.rows.len() {
            return None;
        }
        self.keep_selection();
        self.cursor = cursor;
        self.select(board);
        self.mark_range(board);
        self.selected_row(board)
    }

    /// Moves the selection by so many pages, down where positive.
    pub fn page(&mut self, pages: isize, board: &Board) {
        self.step(
            pages.saturating_mul(signed(self.height.saturating_sub(1))),
            board,
        );
    }

    /// The same by halves of a page.
    pub fn half_page(&mut self, halves: isize, board: &Board) {
        self.step(halves.saturating_mul(signed(self.height / 2)), board);
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

    /// Tells how many rows the screen has room for.
    pub fn set_height(&mut self, height: usize) {
        self.height = height.max(1);
        self.scroll_to_selection();
    }

    pub fn set_view(&mut self, view: ViewId, board: &Board) {
        self.view = view;
        self.refresh(board);
    }

    pub fn set_filter(&mut self, text: &str, board: &Board) {
        self.filter.set(text);
        self.is_searching = true;
        self.refresh(board);
        self.is_searching = false;
    }

    /// Remembers the selection, to come back to.
    pub fn begin_search(&mut self) {
        self.before_search = Some((self.selected.clone(), self.chosen));
    }

    /// What was found is kept: who looks for a job wants to stay on it, without the filter too.
    pub fn keep_search(&mut self) {
        self.before_search = None;
        self.chosen |= !self.filter.text().is_empty();
    }

    /// Back to what was selected before, and no filter.
    pub fn give_up_search(&mut self, board: &Board) {
        if let Some((selected, chosen)) = self.before_search.take() {
            self.chosen = chosen;
            self.selected = selected;
        }
        self.set_filter("", board);
    }

    pub fn set_columns(&mut self, columns: Vec<ColumnId>) {
        self.columns = columns;
    }

    /// Sets the view and the order before any board is seen.
    pub fn start_with(&mut self, view: ViewId, sort: Sort) {
        self.view = view;
        self.sort = sort;
    }

    /// Sorts by this column, or reverses the order where that is the column already.
    pub fn sort_by(&mut self, column: ColumnId, board: &Board) {
        if self.sort.column == column {
            self.reverse_sort(board);
        } else {
            self.set_sort(Sort::new(column), board);
        }
    }

    pub fn reverse_sort(&mut self, board: &Board) {
        self.set_sort(self.sort.reverse(), board);
    }

    pub fn set_sort(&mut self, sort: Sort, board: &Board) {
        self.sort = sort;
        self.refresh(board);
    }

    /// Marks or unmarks the selected row, and selects the next. A range ends with it.
    pub fn toggle_mark(&mut self, board: &Board) {
        self.range = None;
        if let Some(key) = &self.selected {
            if !self.marked.remove(key) {
                self.marked.insert(key.clone());
            }
            self.step(1, board);
        }
    }

    /// Marks all rows that pass, or unmarks them where all are marked.
    pub fn toggle_all_marks(&mut self, board: &Board) {
        self.range = None;
        let shown: Vec<JobKey> = self.keys(0..self.rows.len(), board);
        if shown.iter().all(|key| self.marked.contains(key)) {
            for key in &shown {
                self.marked.remove(key);
            }
        } else {
            self.marked.extend(shown);
        }
    }

    /// Begins to mark all rows from the selected one to wherever the selection goes, or ends that.
    pub fn toggle_range(&mut self, board: &Board) {
        if self.range.take().is_some() {
            return;
        }
        self.keep_selection();
        self.range = self.selected.clone().map(|from| Range {
            from,
            before: self.marked.clone(),
        });
        self.mark_range(board);
    }

    /// What is marked stays so, wherever the selection goes.
    pub fn end_range(&mut self) {
        self.range = None;
    }

    pub fn marks_range(&self) -> bool {
        self.range.is_some()
    }

    /// Marks what is between the beginning of the range and the selection; where the beginning is not
    /// shown any more, the range has ended.
    fn mark_range(&mut self, board: &Board) {
        let Some(range) = &self.range else { return };
        let rows = board.rows();
        // The board may be a newer one than that of the last refresh.
        let is_from = |index: &usize| rows.get(*index).is_some_and(|row| *row.key() == range.from);
        let from = self.rows.iter().position(is_from);
        let Some(from) = from else {
            self.range = None;
            return;
        };
        let mut marked = range.before.clone();
        marked.extend(self.keys(from.min(self.cursor)..from.max(self.cursor) + 1, board));
        self.marked = marked;
    }

    /// The jobs of these of the rows that pass.
    fn keys(&self, places: std::ops::Range<usize>, board: &Board) -> Vec<JobKey> {
        let rows = self.rows[places].iter();
        let rows = rows.filter_map(|index| board.rows().get(*index));
        rows.map(|row| row.key().clone()).collect()
    }

    /// Marks these jobs and no others, as far as they are watched.
    pub fn mark_only(&mut self, jobs: Vec<JobKey>, board: &Board) {
        self.range = None;
        let watched = jobs.into_iter().filter(|job| board.row(job).is_some());
        self.marked = watched.collect();
    }

    /// Returns whether there were any.
    pub fn clear_marks(&mut self) -> bool {
        let any = !self.marked.is_empty();
        self.range = None;
        self.marked.clear();
        any
    }

    pub fn view(&self) -> ViewId {
        self.view
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// Those in use, from left to right; a narrow screen shows fewer.
    pub fn columns(&self) -> &[ColumnId] {
        &self.columns
    }

    /// How many rows pass the view and the filter.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The index of the selection among the rows that pass.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn selected(&self) -> Option<&JobKey> {
        self.selected.as_ref()
    }

    pub fn selected_row<'a>(&self, board: &'a Board) -> Option<&'a Row> {
        board.row(self.selected.as_ref()?)
    }

    pub fn is_marked(&self, key: &JobKey) -> bool {
        self.marked.contains(key)
    }

    /// How many jobs are marked, shown or not.
    pub fn marked(&self) -> usize {
        self.marked.len()
    }

    /// What a key acts on: the marked rows that pass the view and the filter, in their order, else
    /// the selected one. A row that is not shown is never acted on.
    pub fn targets<'a>(&self, board: &'a Board) -> Vec<&'a Row> {
        let shown = self
            .rows
            .iter()
            .filter_map(|index| board.rows().get(*index));
        let marked: Vec<&Row> = shown.filter(|row| self.is_marked(row.key())).collect();
        if marked.is_empty() {
            return self.selected_row(board).into_iter().collect();
        }
        marked
    }

    /// Grows whenever the rows that pass, or what they show, may have changed.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The places in the board of the rows that pass, in their order.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The rows on the screen, from top to bottom.
    pub fn window<'a>(&'a self, board: &'a Board) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.iter().skip(self.top).take(self.height);
        rows.filter_map(|index| board.rows().get(*index))
    }

    fn row_at<'a>(&self, cursor: usize, board: &'a Board) -> Option<&'a Row> {
        board.rows().get(*self.rows.get(cursor)?)
    }
}

fn signed(rows: usize) -> isize {
    isize::try_from(rows.max(1)).unwrap_or(isize::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::board::{Project, Update, Watched};
    use crate::job::{Job, JobId, Status};

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
    fn the_selection_stays_on_the_top_row_until_it_has_been_moved() {
        let mut board = board(&[Status::Active, Status::Active, Status::Active]);
        let mut listing = listing(&board);
        for (id, next) in [("job_002", "job_002"), ("job_001", "job_001")] {
            let key = JobKey::new("p", id);
            set(&mut board, &key, Status::Failed);
            listing.refresh(&board);
            assert_eq!(&*listing.selected().unwrap().id, next);
            assert_eq!(listing.cursor(), 0);
        }
        listing.keep_selection();
        set(&mut board, &JobKey::new("p", "job_000"), Status::Failed);
        listing.refresh(&board);
        assert_eq!(&*listing.selected().unwrap().id, "job_001");
        assert_eq!(listing.cursor(), 1);
    }

    #[test]
    fn a_selection_that_leaves_the_view_gives_its_place_to_the_next() {
        let mut board = board(&[Status::Failed, Status::Failed, Status::Failed]);
        let mut listing = listing(&board);
        listing.set_view(ViewId::named("failed").unwrap(), &board);
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
    fn all_that_are_shown_are_marked_at_once_or_from_one_to_another() {
        let board = board(&[const { Status::Active }; 6]);
        let marked = |listing: &Listing| {
            let rows = board.rows().iter().enumerate();
            let marked = rows.filter(|(_, row)| listing.is_marked(row.key()));
            marked.map(|(at, _)| at).collect::<Vec<_>>()
        };
        let mut listing = listing(&board);
        listing.set_filter("!job_003", &board);
        listing.toggle_all_marks(&board);
        assert_eq!(marked(&listing), [0, 1, 2, 4, 5]);
        listing.toggle_all_marks(&board);
        assert!(marked(&listing).is_empty());
        listing.toggle_mark(&board);
        listing.step(2, &board);
        listing.toggle_range(&board);
        assert_eq!(marked(&listing), [0, 4]);
        listing.step(-2, &board);
        assert_eq!(marked(&listing), [0, 1, 2, 4]);
        listing.step(1, &board);
        assert_eq!(marked(&listing), [0, 2, 4]);
        listing.toggle_range(&board);
        listing.step(3, &board);
        assert_eq!(marked(&listing), [0, 2, 4]);
        listing.half_page(-2, &board);
        assert_eq!(listing.cursor(), 2);
        // The beginning is not among the rows any more.
        listing.toggle_range(&board);
        listing.set_filter("!job_002 !job_003", &board);
        listing.step(1, &board);
        assert!(!listing.marks_range());
        assert!(listing.clear_marks());
    }

    #[test]
    fn a_search_begins_at_the_top_and_goes_back_where_it_came_from() {
        let board = board(&[const { Status::Active }; 6]);
        let mut listing = listing(&board);
        listing.begin_search();
        // The selected row passes no more, and the next filter has other rows.
        listing.set_filter("job_005", &board);
        listing.set_filter("!job_000 !job_005", &board);
        assert_eq!(listing.cursor(), 0);
        listing.give_up_search(&board);
        assert_eq!(&*listing.selected().unwrap().id, "job_000");

        listing.step(3, &board);
        listing.begin_search();
        listing.set_filter("job_001", &board);
        listing.give_up_search(&board);
        assert_eq!(&*listing.selected().unwrap().id, "job_003");

        listing.begin_search();
        listing.set_filter("job_004", &board);
        listing.keep_search();
        listing.set_filter("", &board);
        assert_eq!(&*listing.selected().unwrap().id, "job_004");
    }

    #[test]
    fn a_range_ends_with_a_new_set_of_marks_and_survives_a_board_that_shrank() {
        let mut board = board(&[const { Status::Active }; 3]);
        let mut listing = listing(&board);
        listing.toggle_range(&board);
        listing.step(2, &board);
        let rest = vec![board.rows()[2].key().clone()];
        listing.mark_only(rest, &board);
        listing.step(-1, &board);
        assert_eq!(listing.marked(), 1);

        listing.toggle_range(&board);
        board.set_watched([board.rows()[2].watched.clone()]);
        // Before the rows were refreshed.
        listing.step(-1, &board);
        listing.select_job(JobKey::new("p", "gone"), &board);
        listing.refresh(&board);
        assert_eq!(listing.len(), 1);
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
        assert_eq!(ids, ["job_000".into(), "job_001".into()] as [JobId; 2]);
        assert!(listing.clear_marks() && !listing.clear_marks());
    }

    #[test]
    fn marks_that_are_not_shown_are_not_acted_on() {
        let board = board(&[Status::Active, Status::Failed, Status::Active]);
        let mut listing = listing(&board);
        listing.toggle_mark(&board);
        listing.set_view(ViewId::named("active").unwrap(), &board);
        let ids: Vec<_> = listing
            .targets(&board)
            .iter()
            .map(|row| row.key().id.clone())
            .collect();
        assert_eq!(ids, [listing.selected().unwrap().id.clone()]);
        assert_eq!(listing.marked(), 1);
        listing.set_view(ViewId::EVERYTHING, &board);
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

//! The fast way to read a config: its settings, then `[[projects]]` with their jobs to the end.
//!
//! `toml` builds a tree of the whole text before serde sees any of it, and that is most of what a
//! start with thousands of jobs costs. Here jobs go from the lexer's tokens straight into the raw
//! types. The tokens are pulled one by one: the parser's events come only from a list of all tokens,
//! which is larger than the text. What stands before the first `[[projects]]` is short, and `toml`
//! reads it.
//!
//! The result is `None` for whatever is not known here, each error included; then `toml` has to read
//! the whole text, since only it knows all of TOML and can say what is wrong. This file must never
//! accept what `toml` would refuse, nor read another value or span.

use std::ops::Range;

use toml::Spanned;
use toml_parser::lexer::{Lexer, Token, TokenKind};
use toml_parser::{ParseError, Raw, Source};

use super::raw::{RawConfig, RawJob, RawKey, RawProject};

/// `text` as TOML of the right shape, if it has the common form.
pub(super) fn parse(text: &str) -> Option<RawConfig> {
    let mut reader = Reader::new(text);
    let start = reader.find_projects()?;
    // Read by itself it has to be whole, so `start` is not inside of a value.
    let settings: RawConfig = toml::from_str(text.get(..start)?).ok()?;
    if settings.projects.is_some() {
        return None;
    }
    Some(RawConfig {
        projects: Some(reader.projects()?),
        ..settings
    })
}

/// Reads the value of a key, which is next in the reader.
type Entry<'r, 'a> = &'r mut dyn FnMut(&mut Reader<'a>, &str) -> Option<()>;

/// Fills `slot`, unless the key has come before.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.is_none().then(|| *slot = Some(value))
}

enum Header {
    Project,
    Job,
}

/// The tokens of a text, and what they make up. Each method is at the first token of what it reads
/// and stops behind its last one.
struct Reader<'a> {
    source: Source<'a>,
    next: Option<Token>,
    rest: Lexer<'a>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let source = Source::new(text);
        let mut rest = source.lex();
        Self {
            source,
            next: rest.next(),
            rest,
        }
    }

    /// Where the first line begins that opens with `[[projects`, of which the brackets are read.
    fn find_projects(&mut self) -> Option<usize> {
        let mut at_line_start = true;
        loop {
            if at_line_start
                && let Some(start) = self.double_open()
                && self.next_is_word("projects")
            {
                return Some(start);
            }
            at_line_start = match self.take_if(|_| true)?.kind() {
                TokenKind::Newline => true,
                TokenKind::Whitespace => at_line_start,
                _ => false,
            };
        }
    }

    /// All tables to the end of the text, the first of which has opened.
    fn projects(&mut self) -> Option<Vec<RawProject>> {
        let mut projects: Vec<RawProject> = Vec::new();
        let mut has_array = false;
        loop {
            match self.header()? {
                Header::Project => {
                    let (project, array) = self.project()?;
                    has_array = array;
                    projects.push(project);
                }
                Header::Job if has_array => return None,
                Header::Job => {
                    let job = self.job_table(Self::lines)?;
                    projects.last_mut()?.jobs.push(job);
                }
            }
            if self.take(TokenKind::Eof).is_some() {
                return Some(projects);
            }
            self.double_open()?;
        }
    }

    /// A project, and whether it has an array of jobs.
    fn project(&mut self) -> Option<(RawProject, bool)> {
        let (mut id, mut name, mut key, mut jobs) = (None, None, None, None);
        self.lines(&mut |reader, entry| match entry {
            "id" => set(&mut id, reader.string()?),
            "name" => set(&mut name, reader.text()?),
            "key" => set(&mut key, reader.key_source()?),
            "jobs" => set(&mut jobs, reader.array(Self::job)?.into_inner()),
            _ => None,
        })?;
        let (id, has_array, jobs) = (id?, jobs.is_some(), jobs.unwrap_or_default());
        let project = RawProject {
            id,
            name,
            key,
            jobs,
        };
        Some((project, has_array))
    }

    fn key_source(&mut self) -> Option<Spanned<RawKey>> {
        let mut key = RawKey::default();
        let span = self.inline_table(&mut |reader, entry| match entry {
            "env" => set(&mut key.env, reader.string()?),
            "file" => set(&mut key.file, reader.string()?),
            "command" => set(&mut key.command, reader.array(Self::text)?),
            _ => None,
        })?;
        Some(Spanned::new(span, key))
    }

    fn job(&mut self) -> Option<RawJob> {
        if self.next_is(TokenKind::LeftCurlyBracket) {
            return self.job_table(|reader, entry| reader.inline_table(entry).map(drop));
        }
        Some(RawJob::with_id(self.string()?))
    }

    fn job_table(
        &mut self,
        read: impl FnOnce(&mut Self, Entry<'_, 'a>) -> Option<()>,
    ) -> Option<RawJob> {
        let (mut id, mut label, mut tags) = (None, None, None);
        read(self, &mut |reader, entry| match entry {
            "id" => set(&mut id, reader.string()?),
            "label" => set(&mut label, reader.text()?),
            "tags" => set(&mut tags, reader.array(Self::text)?.into_inner()),
            _ => None,
        })?;
        let (id, tags) = (id?, tags.unwrap_or_default());
        Some(RawJob { id, label, tags })
    }

    fn double_open(&mut self) -> Option<usize> {
        let first = self.take(TokenKind::LeftSquareBracket)?;
        self.take(TokenKind::LeftSquareBracket)?;
        Some(first.span().start())
    }

    /// The rest of a header after its `[[`.
    fn header(&mut self) -> Option<Header> {
        self.word("projects")?;
        let header = if self.take(TokenKind::Dot).is_some() {
            self.word("jobs")?;
            Header::Job
        } else {
            Header::Project
        };
        self.take(TokenKind::RightSquareBracket)?;
        self.take(TokenKind::RightSquareBracket)?;
        self.line_end()?;
        Some(header)
    }

    /// The lines of a table up to the next header or the end of the text.
    fn lines(&mut self, entry: Entry<'_, 'a>) -> Option<()> {
        self.blank()?;
        while self.next_is(TokenKind::Atom) {
            let key = self.key()?;
            entry(self, key)?;
            self.line_end()?;
            self.blank()?;
        }
        Some(())
    }

    fn inline_table(&mut self, entry: Entry<'_, 'a>) -> Option<Range<usize>> {
        let (open, close) = (TokenKind::LeftCurlyBracket, TokenKind::RightCurlyBracket);
        self.list(open, close, |reader| {
            let key = reader.key()?;
            entry(reader, key)
        })
    }

    fn array<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Spanned<Vec<T>>> {
        let mut items = Vec::new();
        let (open, close) = (TokenKind::LeftSquareBracket, TokenKind::RightSquareBracket);
        let span = self.list(open, close, |reader| {
            items.push(item(reader)?);
            Some(())
        })?;
        Some(Spanned::new(span, items))
    }

    /// What stands between `open` and `close`, with commas between and maybe one behind; `each` reads
    /// one.
    fn list(
        &mut self,
        open: TokenKind,
        close: TokenKind,
        mut each: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<Range<usize>> {
        let start = self.take(open)?.span().start();
        self.blank()?;
        while !self.next_is(close) {
            each(self)?;
            self.blank()?;
            if self.take(TokenKind::Comma).is_none() {
                break;
            }
            self.blank()?;
        }
        Some(start..self.take(close)?.span().end())
    }

    /// A bare key with its `=`. The key is not checked, since no table takes a wrong one.
    fn key(&mut self) -> Option<&'a str> {
        let token = self.take(TokenKind::Atom)?;
        self.take(TokenKind::Whitespace);
        self.take(TokenKind::Equals)?;
        self.take(TokenKind::Whitespace);
        Some(self.raw(token)?.as_str())
    }

    fn text(&mut self) -> Option<String> {
        self.string().map(Spanned::into_inner)
    }

    fn string(&mut self) -> Option<Spanned<String>> {
        let token = self.take_if(|kind| kind.encoding().is_some())?;
        let raw = self.raw(token)?;
        let mut text = String::new();
        valid(|error| _ = raw.decode_scalar(&mut text, error))?;
        Some(Spanned::new(token.span().start()..token.span().end(), text))
    }

    /// Blanks, comments and line breaks, as many as there are.
    fn blank(&mut self) -> Option<()> {
        use TokenKind::{Comment, Newline, Whitespace};
        while let Some(token) = self.take_if(|kind| matches!(kind, Whitespace | Comment | Newline))
        {
            self.check_blank(token)?;
        }
        Some(())
    }

    /// The end of a line that has been read but for a comment.
    fn line_end(&mut self) -> Option<()> {
        self.take(TokenKind::Whitespace);
        if let Some(comment) = self.take(TokenKind::Comment) {
            self.check_blank(comment)?;
        }
        match self.take(TokenKind::Newline) {
            Some(line_break) => self.check_blank(line_break),
            None => self.next_is(TokenKind::Eof).then_some(()),
        }
    }

    /// Not every comment and line break may stand in TOML: a lone carriage return, say.
    fn check_blank(&self, token: Token) -> Option<()> {
        let raw = self.raw(token)?;
        valid(|error| match token.kind() {
            TokenKind::Comment => raw.decode_comment(error),
            TokenKind::Newline => raw.decode_newline(error),
            _ => {}
        })
    }

    /// The bare key `name`.
    fn word(&mut self, name: &str) -> Option<()> {
        let token = self.take(TokenKind::Atom)?;
        (self.raw(token)?.as_str() == name).then_some(())
    }

    fn next_is_word(&self, name: &str) -> bool {
        let next = self.next.filter(|next| next.kind() == TokenKind::Atom);
        next.and_then(|next| self.raw(next))
            .is_some_and(|raw| raw.as_str() == name)
    }

    fn take(&mut self, kind: TokenKind) -> Option<Token> {
        self.take_if(|next| next == kind)
    }

    fn take_if(&mut self, wanted: impl Fn(TokenKind) -> bool) -> Option<Token> {
        let token = self.next.filter(|token| wanted(token.kind()))?;
        self.next = self.rest.next();
        Some(token)
    }

    fn next_is(&self, kind: TokenKind) -> bool {
        self.next.is_some_and(|token| token.kind() == kind)
    }

    fn raw(&self, token: Token) -> Option<Raw<'a>> {
        self.source.get(token)
    }
}

/// Whether `decode` finds no error.
fn valid(decode: impl FnOnce(&mut Option<ParseError>)) -> Option<()> {
    let mut error = None;
    decode(&mut error);
    error.is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::EXAMPLE;

    /// What `toml` makes of `text`, with each span.
    fn by_toml(text: &str) -> Result<String, String> {
        let raw: Result<RawConfig, _> = toml::from_str(text);
        raw.map(|raw| format!("{raw:?}"))
            .map_err(|error| error.to_string())
    }

    /// What this reader makes of it.
    fn by_tokens(text: &str) -> Option<String> {
        parse(text).map(|raw| format!("{raw:?}"))
    }

    fn assert_taken(text: &str) {
        assert_eq!(by_tokens(text), by_toml(text).ok(), "{text}");
        assert!(by_tokens(text).is_some(), "{text}");
    }

    #[test]
    fn the_common_forms_are_taken() {
        let all = EXAMPLE
            .replace("\n#[[projects]]", "\n[[projects]]")
            .replace("\n#id = \"64f0c1e2\"", "\nid = \"64f0c1e2\"")
            .replace("\n#key = { env", "\nkey = { env")
            .replace("\n#jobs = [\n#  \"job_01\",", "\njobs = [\n  \"job_01\",")
            .replace("\n#  { id = \"job_02\"", "\n  { id = \"job_02\"")
            .replace("\n#]\n", "\n]\n");
        assert!(by_toml(&all).unwrap().contains("job_02"));
        assert_taken(&all);
        assert_taken(&all.replace('\n', "\r\n"));
        assert_taken(&format!("\u{feff}{all}"));
        for text in [
            "[[projects]]\nid = 'p'",
            "  [[projects]]  # one\n\n\tid\t=\t'p' # its id\n  name='docs'\n",
            "\u{feff}[[projects]]\nid = 'p'",
            "[[projects]]\nid = 'p'\njobs = ['a', \"b\", '''c''', \"\"\"\nd\"\"\"]",
            "[[projects]]\nid = 'p'\njobs = []\n[[projects]]\nid = 'q'",
            "[[projects]]\njobs = [ # all\n  'a' # first\n  ,\n  { id = 'b' },\n]\nid = 'p'",
            "[[projects]]\nid = 'p'\njobs = [{ tags = ['x', 'y',], label = 'l', id = 'a' }]",
            "[[projects]]\nid = 'p'\njobs = [{\n id = 'a', # its id\n},]",
            "[[projects]]\nid = 'p'\n[[projects.jobs]]\nid = 'a'\ntags = []\n\n[[projects.jobs]]\nid = 'b'",
            "[[projects]]\nid = \"\\u00e9\\t\\\"\\x41\\e\\\\\"\nname = '日本 \\u00e9'",
            "[[projects]]\nid = 'p'\nkey = { command = ['op', 'read'] }",
            "[[projects]]\nid = 'p'\nkey = { env = 'A', file = 'b' }",
            "[[projects]]\nid = 'p'\nkey = {}",
            "[[github.hosts]]\nhost = 'a.b'\napi = 'c'\n[[projects]]\nid = 'p'",
        ] {
            assert_taken(text);
        }
    }

    #[test]
    fn what_is_not_known_here_is_left_to_toml() {
        for text in [
            "",
            "projects = []",
            "projects = [{ id = 'p' }]",
            "[[projects]]\nid = 'p'\n[ui]\nsort = 'age'",
            "[[projects]]\nid = 'p'\n[projects.key]\nenv = 'A'",
            "[[projects]]\n'id' = 'p'",
            "[['projects']]\nid = 'p'",
            "[[ projects ]]\nid = 'p'",
            "[[projects]]\nid = 'p'\nkey.env = 'A'",
        ] {
            assert!(by_toml(text).is_ok(), "{text}");
            assert_eq!(by_tokens(text), None, "{text}");
        }
    }

    #[test]
    fn what_toml_refuses_is_not_taken() {
        for text in [
            "projects = []\n[[projects]]\nid = 'p'",
            "projects.id = 'p'\n[[projects]]\nid = 'p'",
            "[projects]\n[[projects]]\nid = 'p'",
            "nope = 1\n[[projects]]\nid = 'p'",
            "base_url = [\n[[projects]]\nid = 'p'",
            "base_url = '''\n[[projects]]\nid = 'p'",
            "[\n[[projects]]\nid = 'p'",
            "[[projects]]",
            "[[projects]] id = 'p'",
            "[[projects]\n]id = 'p'",
            "[[projects.jobs]]\nid = 'a'",
            "[[projects]]\nid = 'p'\nid = 'q'",
            "[[projects]]\nid = 'p'\nnope = 'q'",
            "[[projects]]\nid = 'p'\nname",
            "[[projects]]\nid = 'p'\nname [[projects]]\nid = 'q'",
            "[[projects]]\nid = 'p' name = 'n'",
            "[[projects]]\nid =\n'p'",
            "[[projects]]\nid = 1",
            "[[projects]]\nid = \"\\q\"",
            "[[projects]]\nid = 'p",
            "[[projects]]\nid = 'p' # \u{7f}",
            "[[projects]]\nid = 'p'\r",
            "[[projects]]\nid = 'p'\njobs = ['a' 'b']",
            "[[projects]]\nid = 'p'\njobs = ['a',, 'b']",
            "[[projects]]\nid = 'p'\njobs = [,]",
            "[[projects]]\nid = 'p'\njobs = ['a'",
            "[[projects]]\nid = 'p'\njobs = [{ label = 'l' }]",
            "[[projects]]\nid = 'p'\njobs = [{ id = 'a', id = 'a' }]",
            "[[projects]]\nid = 'p'\njobs = [{ id = 'a' ]",
            "[[projects]]\nid = 'p'\njobs = []\n[[projects.jobs]]\nid = 'a'",
            "[[projects]]\nid = 'p'\n[[projects.jobs]]\nid = 'a'\ntags = 'x'",
            "[[projects]]\nid = 'p'\n[[projects.nope]]\nid = 'a'",
        ] {
            assert!(by_toml(text).is_err(), "{text}");
            assert_eq!(by_tokens(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn every_config_of_a_common_form_is_read_as_toml_reads_it(text in config()) {
            let taken = by_tokens(&text);
            prop_assert!(taken.is_some(), "{}", text);
            prop_assert_eq!(taken, by_toml(&text).ok(), "{}", text);
        }

        #[test]
        fn a_damaged_config_is_read_as_toml_reads_it_or_left_to_it(text in damaged_config()) {
            if let Some(taken) = by_tokens(&text) {
                prop_assert_eq!(Ok(taken), by_toml(&text), "{}", text);
            }
        }
    }

    fn damaged_config() -> impl Strategy<Value = String> {
        let characters = " \t\n\r\0\u{7f}\u{feff}é#=.,[]{}'\"\\-1x"
            .chars()
            .map(String::from);
        let pieces: Vec<String> = characters.chain(PIECES.map(String::from)).collect();
        let piece = prop::sample::select(pieces);
        let edit = (any::<prop::sample::Index>(), 0..4_usize, piece);
        (config(), prop::collection::vec(edit, 1..4)).prop_map(|(text, edits)| {
            let mut chars: Vec<char> = text.chars().collect();
            for (at, removed, piece) in edits {
                let at = at.index(chars.len() + 1);
                let end = (at + removed).min(chars.len());
                chars.splice(at..end, piece.chars());
            }
            chars.into_iter().collect()
        })
    }

    const PIECES: [&str; 10] = [
        "",
        "[[",
        "]]",
        "\"\"\"",
        "1979-05-27",
        "id = 'z'\n",
        "projects = []\n",
        "\n[[projects]]\n",
        "\n[[projects.jobs]]\n",
        "\n[projects.key]\n",
    ];

    fn config() -> impl Strategy<Value = String> {
        prop::collection::vec(any::<u8>(), 0..120).prop_map(|choices| {
            let mut writer = Writer(choices.into_iter());
            writer.config()
        })
    }

    /// A writer of configs: each choice takes the next number, and the first way when there is none.
    struct Writer(std::vec::IntoIter<u8>);

    impl Writer {
        fn choose(&mut self, ways: usize) -> usize {
            self.0.next().map_or(0, usize::from) % ways
        }

        fn pick(&mut self, ways: &[&'static str]) -> &'static str {
            ways[self.choose(ways.len())]
        }

        fn config(&mut self) -> String {
            let settings = [
                "",
                "\u{feff}",
                "# mine\n\n",
                "base_url = 'https://a.example'\r\n",
                "[[github.hosts]]\nhost = 'a.b'\napi = 'c' # [[projects]]\n",
                "[key]\nenv = \"A\" # here\n[poll]\nconcurrency = 3\n",
                "ui.columns = [\n  'job', # [[projects]]\n]\nkeys.open = ['o', \"\"\"\n[[projects]]\"\"\"]\n  ",
            ];
            let projects = 1 + self.choose(3);
            let mut text = self.pick(&settings).to_owned();
            text.extend((0..projects).map(|_| self.project()).collect::<Vec<_>>());
            text
        }

        fn project(&mut self) -> String {
            let jobs = self.array(Self::job_value);
            let command = format!("command={}", self.array(Self::string));
            let mut source = vec![format!("env = {}", self.string()), command];
            source.truncate(self.choose(3));
            let key = self.list("{", source, "}");
            let mut entries = vec![format!("name= {}", self.string()), format!("key ={key}")];
            let tables = self.choose(3);
            if tables == 0 {
                entries.push(format!("jobs\t= {jobs}"));
            }
            entries.truncate(self.choose(4));
            entries.push(format!("id = {}", self.string()));
            let mut text = self.table("[[projects]]", entries);
            for _ in 1..tables {
                let entries = self.job();
                text += &self.table("[[projects.jobs]]", entries);
            }
            text
        }

        fn job_value(&mut self) -> String {
            if self.choose(2) == 0 {
                return self.string();
            }
            let entries = self.job();
            self.list("{", entries, "}")
        }

        fn job(&mut self) -> Vec<String> {
            let tags = self.array(Self::string);
            let mut entries = vec![format!("label = {}", self.string()), format!("tags={tags}")];
            entries.truncate(self.choose(3));
            entries.push(format!("id = {}", self.string()));
            entries
        }

        fn table(&mut self, header: &str, mut entries: Vec<String>) -> String {
            let first = self.choose(entries.len());
            entries.rotate_left(first);
            let mut text = String::new();
            for line in std::iter::once(header.to_owned()).chain(entries) {
                text += self.pick(&["", "  ", "\n", "\t# x\n "]);
                text += &line;
                text += self.pick(&["\n", "\r\n", " \n", " # é\n", "#\t\r\n"]);
            }
            text
        }

        fn array(&mut self, item: impl Fn(&mut Self) -> String) -> String {
            let count = self.choose(3);
            let items = (0..count).map(|_| item(self)).collect();
            self.list("[", items, "]")
        }

        fn list(&mut self, open: &str, mut items: Vec<String>, close: &str) -> String {
            let first = self.choose(items.len().max(1));
            items.rotate_left(first);
            let mut text = open.to_owned() + self.blank();
            let count = items.len();
            for (at, item) in items.into_iter().enumerate() {
                text = text + &item + self.blank();
                if at + 1 < count || self.choose(2) == 1 {
                    text = text + "," + self.blank();
                }
            }
            text + close
        }

        fn blank(&mut self) -> &'static str {
            self.pick(&["", " ", "\t ", "\n", "\r\n  ", " # note\n", "\n\n# ] }\r\n"])
        }

        fn string(&mut self) -> String {
            let strings = [
                "'a'",
                "\"job_01\"",
                "\"\"",
                "''",
                "'c:\\dir # \"'",
                "\"a\\\"b\\\\\\u00e9\\U0001F600\\e\\x41\\n\"",
                "\"日本 é\"",
                "'''\na''b'''",
                "\"\"\"\\\n   x\"\" \r\n\"\"\"",
            ];
            self.pick(&strings).to_owned()
        }
    }
}

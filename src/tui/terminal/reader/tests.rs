//! What bytes say, whole, torn and split anywhere.

use crossterm::event::{KeyCode, MouseEventKind};
use proptest::prelude::*;

use super::*;

fn events(bytes: &[u8]) -> Vec<Event> {
    let mut reader = Reader::default();
    reader.read(bytes);
    finish(reader)
}

fn finish(mut reader: Reader) -> Vec<Event> {
    reader.on_silence();
    assert_eq!(reader.patience(), None);
    std::iter::from_fn(|| reader.next_event()).collect()
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

#[test]
fn keys_table() {
    use KeyCode::{BackTab, Char, Down, End, Enter, Esc, F, Home, PageUp, Tab, Up};
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
    for (bytes, code, modifiers) in [
        ("q", Char('q'), NONE),
        ("Q", Char('Q'), SHIFT),
        ("é", Char('é'), NONE),
        ("\u{1f600}", Char('\u{1f600}'), NONE),
        ("\r", Enter, NONE),
        ("\n", Char('j'), CONTROL),
        ("\t", Tab, NONE),
        ("\u{7f}", KeyCode::Backspace, NONE),
        ("\0", Char(' '), CONTROL),
        ("\u{3}", Char('c'), CONTROL),
        ("\u{1a}", Char('z'), CONTROL),
        ("\u{1c}", Char('4'), CONTROL),
        ("\u{1f}", Char('7'), CONTROL),
        ("\u{1b}", Esc, NONE),
        ("\u{1b}q", Char('q'), ALT),
        ("\u{1b}é", Char('é'), ALT),
        ("\u{1b}\r", Enter, ALT),
        ("\u{1b}[", Char('['), ALT),
        ("\u{1b}O", Char('O'), ALT | SHIFT),
        ("\u{1b}]", Char(']'), ALT),
        ("\u{1b}[A", Up, NONE),
        ("\u{1b}OB", Down, NONE),
        ("\u{1b}[1;5A", Up, CONTROL),
        ("\u{1b}[1;2:1B", Down, SHIFT),
        ("\u{1b}[H", Home, NONE),
        ("\u{1b}OF", End, NONE),
        ("\u{1b}[4~", End, NONE),
        ("\u{1b}[5;3~", PageUp, ALT),
        ("\u{1b}[Z", BackTab, SHIFT),
        ("\u{1b}[9;2u", BackTab, SHIFT),
        ("\u{1b}OP", F(1), NONE),
        ("\u{1b}OR", F(3), NONE),
        ("\u{1b}[1;2S", F(4), SHIFT),
        ("\u{1b}[15~", F(5), NONE),
        ("\u{1b}[24~", F(12), NONE),
        ("\u{1b}[[C", F(3), NONE),
        ("\u{1b}[97;5u", Char('a'), CONTROL),
        ("\u{1b}[27u", Esc, NONE),
    ] {
        let found = events(bytes.as_bytes());
        assert_eq!(found, [key(code, modifiers)], "{bytes:?}");
    }
    let twice = [key(Esc, NONE), key(Esc, NONE)];
    assert_eq!(events(b"\x1b\x1b"), twice);
    assert_eq!(events(b"\x1b\x1b[A"), [key(Esc, NONE), key(Up, NONE)]);
}

#[test]
fn replies_say_nothing() {
    for reply in [
        "\u{1b}[?997;1n",
        "\u{1b}[?2026;2$y",
        "\u{1b}[?1;0;256S",
        "\u{1b}[?62;22c",
        "\u{1b}[>0;10;1c",
        "\u{1b}[12;40R",
        "\u{1b}[1;5R",
        "\u{1b}[?12;40;1R",
        "\u{1b}[8;24;80t",
        "\u{1b}[?1u",
        "\u{1b}[0n",
        "\u{1b}[I",
        "\u{1b}[201~",
        "\u{1b}]11;rgb:0000/0000/0000\u{7}",
        "\u{1b}]52;c;bnEgeA==\u{1b}\\",
        "\u{1b}P>|XTerm(390)\u{1b}\\",
        "\u{1b}_Gi=31;OK\u{1b}\\",
        "\u{1b}[<0;0;0M",
        "\u{1b}[<999999;1;1M",
        "\u{1b}[57441u",
        "\u{1b}[<0;1",
        "\u{1b}[?99",
        "\u{1b}]11;rgb:",
    ] {
        assert_eq!(events(reply.as_bytes()), [], "{reply:?}");
    }
}

#[test]
fn the_mouse_is_told_in_both_ways() {
    let down = MouseEventKind::Down(crossterm::event::MouseButton::Left);
    for (bytes, kind, column, row) in [
        (b"\x1b[<0;10;5M".as_slice(), down, 9, 4),
        (b"\x1b[<64;300;1M", MouseEventKind::ScrollUp, 299, 0),
        (b"\x1b[M\x20\x2a\x25", down, 9, 4),
        (b"\x1b[M\x61\xff\x21", MouseEventKind::ScrollDown, 222, 0),
    ] {
        let [Event::Mouse(mouse)] = events(bytes)[..] else {
            panic!("{bytes:?}");
        };
        assert_eq!((mouse.kind, mouse.column, mouse.row), (kind, column, row));
    }
}

#[test]
fn a_paste_is_text_to_its_end_and_to_where_it_stays_silent() {
    let paste = |text: &str| Event::Paste(text.into());
    let whole = b"\x1b[200~a\x1b[A\x03\x1b\x1b[201~q";
    let q = key(KeyCode::Char('q'), KeyModifiers::NONE);
    assert_eq!(events(whole), [paste("a\x1b[A\x03\x1b"), q.clone()]);
    let mut reader = Reader::default();
    reader.read(b"\x1b[200~never ends: n");
    reader.on_silence();
    reader.read(b"q");
    assert_eq!(finish(reader), [paste("never ends: n"), q]);
}

#[test]
fn what_is_held_is_bounded_and_a_long_paste_loses_nothing() {
    let mut reader = Reader::default();
    for start in [b"\x1b]".as_slice(), b"\x1b[", b"\x1bP"] {
        reader.read(start);
        reader.read(&vec![b'1'; 1 << 20]);
        let State::Text { .. } = &reader.state else {
            let State::Sequence { parameters, .. } = &reader.state else {
                panic!("{:?}", reader.state);
            };
            assert!(parameters.len() <= MOST_PARAMETERS + 1);
            reader.on_silence();
            continue;
        };
        reader.on_silence();
    }
    assert!(reader.events.is_empty());
    let text = "é".repeat(PASTE_PIECE * 3 / 2);
    reader.read(b"\x1b[200~");
    reader.read(text.as_bytes());
    reader.read(PASTE_END);
    let pieces: Vec<String> = finish(reader)
        .into_iter()
        .map(|event| match event {
            Event::Paste(piece) => piece,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(pieces.iter().all(|piece| piece.len() <= PASTE_PIECE + 8));
    assert_eq!(pieces.concat(), text);
}

/// Bytes of which many are of sequences.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\u{1b}",
        "\u{1b}[",
        "\u{1b}O",
        "\u{1b}]",
        "\u{1b}P",
        "\u{1b}\\",
        "\u{1b}[200~",
        "\u{1b}[201~",
        "\u{1b}[M",
        "\u{1b}[<",
        "\u{1b}[?",
        "1",
        ";",
        ":",
        "M",
        "n",
        "u",
        "~",
        "é",
        "\u{7}",
        "\u{3}",
    ];
    let piece = prop_oneof![
        3 => prop::sample::select(pieces.as_slice().to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn after_any_bytes_and_silence_a_key_is_a_key(bytes in bytes()) {
        let mut reader = Reader::default();
        reader.read(&bytes);
        reader.on_silence();
        prop_assert_eq!(reader.patience(), None);
        while reader.next_event().is_some() {}
        reader.read(b"q");
        prop_assert_eq!(finish(reader), [key(KeyCode::Char('q'), KeyModifiers::NONE)]);
    }

    #[test]
    fn however_bytes_are_split_they_say_the_same(bytes in bytes(), at in any::<prop::sample::Index>()) {
        let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
        let mut reader = Reader::default();
        reader.read(first);
        reader.read(second);
        prop_assert_eq!(finish(reader), events(&bytes));
    }
}

//! Texts that are written and not sent: what they belong to, and leaving while there are any.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use crossterm::event::Event;
use mintwatch::exit::Exit;
use mintwatch::job::JobKey;
use mintwatch::tui::app::Request;
use mintwatch::tui::{Done, NotDone, Notice};
use mintwatch::view::theme::Role;
use support::fake_server::FakeServer;
use support::reply::Reply;
use support::session::{Call, Session};
use support::{PATIENT, drawn, setup, until};

/// A dashboard of three jobs, `job_a` to `job_c`, the first of them selected.
async fn start(server: &FakeServer) -> Session {
    server.set_default(Reply::job("active"));
    let poller = setup::start(&format!(
        "base_url = \"{}\"\n[poll]\nactive = \"100ms\"\n[[projects]]\nid = \"docs\"\n\
         jobs = [{{ id = \"job_a\", label = \"SDK quickstart\" }}, \"job_b\", \"job_c\"]\n",
        server.base_url()
    ));
    let mut session = Session::start(poller, (120, 24));
    session.wait_for("3 active").await;
    session.press("gg");
    session.wait_for_selected("SDK quickstart").await;
    session
}

fn done(text: &str) -> Done {
    Done {
        text: text.into(),
        role: Role::Good,
        select: None,
    }
}

/// Asks for what is being written until the host is asked, for the `nth` time.
async fn send(session: &mut Session, question: &str, nth: usize) -> Request {
    session.press("<^s>");
    session.wait_for(question).await;
    session.answer("y").await;
    match session.wait_for_calls_of(nth).await.pop() {
        Some(Call::Perform(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_follow_up_comes_back_for_the_same_job_only() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("f");
    session.wait_for("Follow-up to SDK quickstart").await;
    session.press("mention pip<esc>");
    session.wait_for("not sent; the text is kept").await;
    session.press("jf");
    session.wait_for("Follow-up to job_b").await;
    session.wait_until_gone("mention pip").await;
    session.press("mention npm<esc>kf");
    session.wait_for("Follow-up to SDK quickstart").await;
    session.wait_for("mention pip").await;
    // Sent to one, the other's stays.
    let request = send(&mut session, "Send to SDK quickstart?", 1).await;
    session.notice(Notice::Ended(request, Ok(done("sent to 1 job"))));
    session.wait_for("sent to 1 job").await;
    session.press("f");
    session.wait_for("Follow-up to SDK quickstart").await;
    session.wait_until_gone("mention pip").await;
    session.press("<esc>jf");
    session.wait_for("mention npm").await;
}

#[tokio::test]
async fn a_set_of_jobs_has_a_text_of_its_own_in_whatever_order_they_are() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("  f");
    session.wait_for("Follow-up to 2 jobs").await;
    session.press("both of you<esc>");
    session.wait_for("the text is kept").await;
    session.press("<esc>f");
    session.wait_for("Follow-up to job_c").await;
    session.wait_until_gone("both of you").await;
    // Marked the other way round.
    session.press("<esc>gj g f");
    session.wait_for("Follow-up to 2 jobs").await;
    session.wait_for("both of you").await;
}

#[tokio::test]
async fn a_prompt_stays_with_its_project_and_goes_along_while_it_is_written() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("nfor p<esc>n<tab>");
    session.wait_for("New job in other").await;
    session.wait_until_gone("for p").await;
    session.press("for other<backtab>");
    session.wait_for("New job in p").await;
    session.wait_for("for p").await;
    session.press("<tab>");
    session.wait_for("for other").await;
    session.press("<^u><esc>");
    // Not kept for this one yet, and changed since it was kept for the other.
    session.press("n too<backtab>");
    session.wait_for("New job in other").await;
    session.wait_for("for p too").await;
    session.press("<esc>a");
    session.wait_for("Ids or links of jobs in p").await;
    session.wait_until_gone("for p too").await;
    session.press("job_7<esc>n");
    session.wait_for("New job in p").await;
    session.wait_until_gone("for p too").await;
    session.press("<esc>a");
    session.wait_for("job_7").await;
}

#[tokio::test]
async fn leaving_with_an_unsent_text_asks_first() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("fmention pip<^c>");
    let question = "Drop the text for SDK quickstart? It is unsent. y/n";
    session.wait_for(question).await;
    session.answer("<enter>").await;
    session.answer("n").await;
    // Back where one was.
    session.wait_for("Follow-up to SDK quickstart").await;
    session.press(" too");
    session.wait_for("mention pip too").await;
    session.press("<esc>");
    session.wait_for("the text is kept").await;
    session.press("q");
    session.wait_for(question).await;
    session.answer("<esc>").await;
    session.wait_for("cancelled").await;
    session.press("jfmore<esc>q");
    session.wait_for("Drop 2 unsent texts?").await;
    session.answer("y").await;
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn a_second_ctrl_c_leaves_and_an_empty_text_is_none() {
    let server = FakeServer::start();
    // Pressed before the question was seen, it is no answer.
    let mut session = start(&server).await;
    session.press("fmention pip<^c><^c>");
    session.wait_for("Drop the text for").await;
    session.answer("<^c>").await;
    assert_eq!(session.exit().await, Some(Exit::Done));

    for (written, name) in [("nDo it", "the prompt for p"), ("ajob_7", "the ids for p")] {
        let mut session = start(&server).await;
        session.press(&format!("{written}<^c>"));
        session.wait_for(&format!("Drop {name}? ")).await;
        session.answer("<^c>").await;
        assert_eq!(session.exit().await, Some(Exit::Done));
    }

    let session = start(&server).await;
    session.press("f  <enter><^c>");
    assert_eq!(session.exit().await, Some(Exit::Done));
}

#[tokio::test]
async fn a_signal_does_not_ask() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("fmention pip");
    session.wait_for("mention pip").await;
    session.stop(Exit::Signal(15));
    assert_eq!(session.exit().await, Some(Exit::Signal(15)));
}

/// What is under way is waited for, and what has been refused is unsent again.
#[tokio::test]
async fn a_text_that_is_being_sent_is_not_unsent() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("fmention pip");
    let request = send(&mut session, "Send to SDK quickstart?", 1).await;
    session.press("q");
    session
        .wait_for("waiting for the reply to your follow-up; q again leaves")
        .await;
    session.press("j");
    session.wait_until_gone("again leaves").await;
    session.press("fmention npm<esc>q");
    session.wait_for("Drop the text for job_b?").await;
    session.answer("y").await;
    session.wait_for("q again leaves").await;
    session.press("j");
    session.wait_until_gone("again leaves").await;
    let refused = Err(NotDone::because("not allowed (403)"));
    session.notice(Notice::Ended(request, refused));
    session.wait_for("not allowed (403)").await;
    session.press("q");
    session.wait_for("Drop 2 unsent texts?").await;
}

#[tokio::test]
async fn ids_pasted_on_one_line_are_all_added() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    for (nth, pasted) in [
        "job_7 job_8,https://x.test/job/job_9",
        "job_7\rjob_8,\r\njob_9\r",
    ]
    .into_iter()
    .enumerate()
    {
        session.press("a");
        session.wait_for("Ids or links of jobs in p").await;
        session.send(Event::Paste(pasted.into()));
        session.press("<^s>");
        let request = Request::Add {
            project: "p".into(),
            ids: ["job_7", "job_8", "job_9"].map(Into::into).to_vec(),
        };
        let calls = session.wait_for_calls_of(nth + 1).await;
        assert_eq!(calls[nth], Call::Perform(request.clone()));
        session.notice(Notice::Ended(request, Ok(done("watching 3 more jobs"))));
        session.wait_for("watching 3 more jobs").await;
    }
}

#[tokio::test]
async fn the_editor_gets_the_text_and_gives_it_back() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("<^e>fmention pip");
    let before = session.wait_for("mention pip").await;
    session.press("<^e>");
    let about = String::from("Follow-up to SDK quickstart");
    let edit = |text: &str| Call::Edit(text.into(), about.clone());
    let mut calls = vec![edit("mention pip")];
    session.wait_for_calls(&calls).await;
    // Neither the screen nor what is typed is ours now.
    server.set("docs", "job_b", Reply::job("failed"));
    let polls = server.requests().len();
    session.press(" typed ahead");
    session.press("<^e>");
    session.notice(Notice::Message("news".into(), Role::Good));
    until(PATIENT, "polls", || server.requests().len() > polls + 6).await;
    assert_eq!(session.text(), drawn::text(&before.buffer));
    session.notice(Notice::Edited(Ok(String::from(
        "\n# Title\nmention npm\n\n",
    ))));
    session
        .wait("the screen to be drawn anew", |now| {
            now.clears > before.clears
        })
        .await;
    session.wait_for("# Title").await;
    calls.extend([Call::EndEdit, edit("# Title\nmention npm typed ahead")]);
    session.wait_for_calls(&calls).await;
    for (edited, said) in [
        (
            Ok(String::from(" \n")),
            "nothing was written; the text is as it was",
        ),
        (
            Err(String::from("no editor is set")),
            "no editor is set; the text is as it was",
        ),
    ] {
        session.notice(Notice::Edited(edited));
        session.wait_for(said).await;
        session.wait_for("mention npm typed ahead").await;
        session.press("<^e>");
        calls.extend([Call::EndEdit, edit("# Title\nmention npm typed ahead")]);
        session.wait_for_calls(&calls).await;
    }
}

/// Ctrl-C in the editor reaches us as a signal too; another signal is for us.
#[tokio::test]
async fn what_interrupts_the_editor_does_not_end_the_run() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("fmention pip<^e>");
    session.wait_for_calls_of(1).await;
    session.stop(Exit::Signal(2));
    session.notice(Notice::Edited(Err(String::from("the editor ended"))));
    session
        .wait_for("the editor ended; the text is as it was")
        .await;

    let mut session = start(&server).await;
    session.press("fmention pip<^e>");
    session.wait_for_calls_of(1).await;
    session.stop(Exit::Signal(15));
    assert_eq!(session.exit().await, Some(Exit::Signal(15)));
}

#[tokio::test]
async fn what_is_left_of_a_follow_up_keeps_its_text() {
    let server = FakeServer::start();
    let mut session = start(&server).await;
    session.press("  fmore");
    let request = send(&mut session, "Send to 2 jobs?", 1).await;
    let remaining = Some(vec![JobKey::new("docs", "job_b")]);
    session.notice(Notice::Ended(
        request,
        Err(NotDone {
            message: String::from("not allowed (403)"),
            not_reached: remaining.clone(),
            remaining,
        }),
    ));
    session.wait_for("not allowed (403)").await;
    session.press("q");
    session.wait_for("Drop the text for job_b?").await;
}

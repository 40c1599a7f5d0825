//! `mintwatch man`: the manual page, generated from the command line's definition and, for the
//! dashboard, from the table of keys.

mod sections;

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::Cli;
use super::error::CommandResult;
use crate::exit::Exit;

pub fn execute() -> CommandResult {
    print(Cli::command(), &mut io::stdout())?;
    Ok(Exit::Done)
}

fn print(mut command: Command, out: &mut dyn Write) -> io::Result<()> {
    command.build();
    let page = Man::new(command.clone());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    out.write_all(notes(&page)?.as_bytes())?;
    print_verbs(&command, out)?;
    sections::print(out)?;
    page.render_version_section(out)
}

/// A section for each verb, since a page of its own would not be installed.
fn print_verbs(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    for verb in command.get_subcommands() {
        if verb.is_hide_set() || verb.get_name() == "help" {
            continue;
        }
        if verb.has_subcommands() {
            print_verbs(verb, out)?;
        } else {
            print_verb(verb, out)?;
        }
    }
    Ok(())
}

fn print_verb(verb: &Command, out: &mut dyn Write) -> io::Result<()> {
    let name = verb.get_bin_name().unwrap_or(verb.get_name());
    writeln!(out, ".SH {}", name.to_uppercase())?;
    // The global flags are described at the top.
    let without_global = verb.clone().mut_args(|arg| {
        let is_global = arg.is_global_set();
        arg.hide(is_global)
    });
    let page = Man::new(without_global);
    let mut sections = Vec::new();
    page.render_description_section(&mut sections)?;
    page.render_synopsis_section(&mut sections)?;
    page.render_options_section(&mut sections)?;
    sections.extend(notes(&page)?.into_bytes());
    let sections = String::from_utf8_lossy(&sections);
    for line in sections.lines() {
        match line.strip_prefix(".SH ") {
            Some(title) => writeln!(out, ".SS {title}")?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}

/// The examples and exit codes after a verb's help, not filled.
fn notes(page: &Man) -> io::Result<String> {
    let mut section = Vec::new();
    page.render_extra_section(&mut section)?;
    let section = String::from_utf8_lossy(&section);
    Ok(match section.split_once(".SH EXTRA\n") {
        Some((before, text)) => format!("{before}.SH NOTES\n.nf\n{text}.fi\n"),
        None => section.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_describes_every_verb_and_no_hidden_one() {
        let mut page = Vec::new();
        print(Cli::command(), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let command = Cli::command();
        let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        for verb in verbs {
            let title = format!(".SH MINTWATCH {}", verb.get_name().to_uppercase());
            assert!(page.contains(&title), "{title}");
        }
        let opened = page.lines().filter(|line| *line == ".nf").count();
        let closed = page.lines().filter(|line| *line == ".fi").count();
        assert!(opened > 5 && opened == closed, "{opened} {closed}");
        assert_eq!(page.matches(".SS NOTES").count() + 1, opened);
    }
}

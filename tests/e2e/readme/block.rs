//! The fenced blocks of a Markdown document, and the tour they make.

use std::fmt::Write;

/// Between the outputs of two steps. No service prints it.
const MARK: &str = "=~=~= end of step";

/// One fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the opening fence, such as `sh tour`.
    pub info: String,
    /// What stands between the fences.
    pub text: String,
    /// The document and the line of the opening fence, such as `README.md, line 23`.
    pub place: String,
    /// Whether nothing but white space lies between this and the block before.
    follows: bool,
}

impl Block {
    /// All blocks of `markdown`, the text of the document `name`, in order.
    pub fn all(name: &str, markdown: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut open: Option<Self> = None;
        let mut follows = false;
        for (line, text) in (1..).zip(markdown.lines()) {
            match (&mut open, text.strip_prefix("```")) {
                (Some(block), None) => {
                    block.text.push_str(text);
                    block.text.push('\n');
                }
                (Some(_), Some(_)) => {
                    blocks.extend(open.take());
                    follows = true;
                }
                (None, Some(info)) => {
                    let (info, text) = (info.trim().to_owned(), String::new());
                    let place = format!("{name}, line {line}");
                    open = Some(Self { info, text, place, follows });
                }
                (None, None) => follows &= text.trim().is_empty(),
            }
        }
        blocks
    }

    /// Whether it is a step of the tour.
    pub fn is_step(&self) -> bool {
        let mut words = self.info.split_whitespace();
        words.next() == Some("sh") && words.any(|word| word == "tour")
    }

    /// The file it shows lines of, if it names one.
    pub fn file(&self) -> Option<&str> {
        self.info.split_whitespace().nth(1).filter(|word| word.contains('/'))
    }

    /// Whether it is the expected output of the block before.
    pub fn is_output(&self) -> bool {
        self.follows && ["json", "text"].contains(&self.info.as_str())
    }
}

/// All steps as one script that ends at the first failure. What goes to standard error
/// belongs to the output, as it does on a terminal.
pub fn script(steps: &[&Block]) -> String {
    let mut script = "set -euo pipefail\nexec 2>&1\n".to_owned();
    for step in steps {
        let _ = write!(script, "# {}\n{}\necho '{MARK}'\n", step.place, step.text);
    }
    script
}

/// What each step printed.
pub fn outputs(printed: &str, steps: usize) -> Vec<String> {
    let mut outputs: Vec<String> = printed.split(MARK).map(|text| text.trim().to_owned()).collect();
    let rest = outputs.pop();
    assert_eq!((outputs.len(), rest.as_deref()), (steps, Some("")), "{printed}");
    outputs
}

#[test]
fn blocks_are_found_with_what_they_are_for() {
    let markdown =
        "a\n```sh tour\nls\n```\n\n```json\n{}\n```\nb\n```json\n[]\n```\n```sh\nx\n```\n";
    let blocks = Block::all("a.md", markdown);
    let seen: Vec<_> = blocks
        .iter()
        .map(|block| {
            (block.info.as_str(), block.place.as_str(), block.is_step(), block.is_output())
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("sh tour", "a.md, line 2", true, false),
            ("json", "a.md, line 6", false, true),
            ("json", "a.md, line 10", false, false),
            ("sh", "a.md, line 13", false, false),
        ]
    );
    assert_eq!(blocks[0].text, "ls\n");
}

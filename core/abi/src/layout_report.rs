//! The useful part of a layout report.
//!
//! `abi_stable` reports a difference of types in a thousand lines: the path from
//! the root module down to the type, both layouts of every step, and last the
//! errors. A person needs the type and the errors.

/// Most errors that are shown.
const MAX_ERRORS: usize = 4;

/// The last type of a report with its errors, one a line.
pub(crate) fn summarise(report: &str) -> String {
    let lines: Vec<&str> = report.lines().map(str::trim).collect();
    let start = lines
        .iter()
        .rposition(|line| *line == "Layout of expected type:")
        .unwrap_or(0);
    let tail = lines.get(start..).unwrap_or_default();
    let mut told: Vec<String> = tail
        .iter()
        .find_map(|line| line.strip_prefix("type:"))
        .map(|name| format!("type `{name}`"))
        .into_iter()
        .collect();
    for (index, line) in tail.iter().enumerate() {
        if let Some(error) = line.strip_prefix("Error:")
            && told.len() <= MAX_ERRORS
        {
            let rest = tail.get(index + 1..).unwrap_or_default();
            told.push(format!("  {error}{}", sides(rest)));
        }
    }
    if told.len() < 2 {
        // A report of another form: its beginning is better than nothing.
        told = lines.iter().take(6).map(ToString::to_string).collect();
    }
    told.join("\n")
}

/// `: expected …, found …` from the lines under an error.
fn sides(lines: &[&str]) -> String {
    let block: Vec<&str> = lines
        .iter()
        .copied()
        .take_while(|line| !line.is_empty() && !line.starts_with("Error:"))
        .collect();
    let found = block.iter().position(|line| *line == "Found:");
    match (block.first(), found) {
        (Some(&"Expected:"), Some(found)) => {
            let join = |range: Option<&[&str]>| range.unwrap_or_default().join(" ");
            let (expected, got) = (join(block.get(1..found)), join(block.get(found + 1..)));
            format!(": expected {expected}, found {got}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_and_its_errors_are_left_of_a_report() {
        let report = "Compared <this>:\n    type:PluginModule\n\nLayout of expected type:\n    \
            --- Type Layout ---\n    type:NonNull\n\nLayout of expected type:\n    --- Type Layout ---\n    \
            type:TensorAbi\n    data:\n        type:RString\nLayout of found type:\n    type:TensorAbi\n\n\
            Error:incompatible type size\nExpected:\n    136\nFound:\n    144\n\n\
            Error:too many fields\nExpected:\n    5\nFound:\n    6\n\n";
        assert_eq!(
            summarise(report),
            "type `TensorAbi`\n  incompatible type size: expected 136, found 144\n  \
             too many fields: expected 5, found 6"
        );
    }

    #[test]
    fn a_report_of_another_form_is_shown_from_its_beginning() {
        assert_eq!(summarise("no such report"), "no such report");
        assert_eq!(summarise(&"line\n".repeat(100)).lines().count(), 6);
        assert_eq!(summarise(""), "");
    }
}

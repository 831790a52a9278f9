//! Commands that the contract names and this version does not have.

use crate::failure::Failure;

/// Says so, with what there is instead.
pub(crate) fn missing(command: &str) -> Failure {
    let help = match command {
        "policy import" => {
            "`vola train` makes a bundle; `vola policy show` lists the bundles' form"
        }
        _ => "`vola --help` lists the commands of this version",
    };
    Failure::NotInThisVersion {
        command: command.to_owned(),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_command_is_wrong_usage() {
        for command in ["policy import", "policy quantize"] {
            let failure = missing(command);
            assert_eq!(failure.exit_code(), 2);
            let text = failure.to_string();
            assert!(
                text.contains(command) && text.contains("\nhelp: "),
                "{text}"
            );
        }
    }
}

//! Figures in the text form that Prometheus reads (version 0.0.4).

use std::fmt::Write;

/// A page of figures under construction.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Names a figure that only grows. Its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str) -> &mut Self {
        self.family(name, help, "counter")
    }

    /// Names a figure that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str) -> &mut Self {
        self.family(name, help, "gauge")
    }

    fn family(&mut self, name: &str, help: &str, kind: &str) -> &mut Self {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to text does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self
    }

    /// One value of the figure that was named last.
    pub fn value(&mut self, name: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        self.text.push_str(name);
        for (index, (key, word)) in labels.iter().enumerate() {
            let word = word
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let open = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{key}=\"{word}\"");
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = if value.is_nan() {
            writeln!(self.text, " NaN")
        } else if value.is_infinite() {
            writeln!(self.text, " {}Inf", if value > 0.0 { '+' } else { '-' })
        } else {
            writeln!(self.text, " {value}")
        };
        self
    }

    /// The page.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them() {
        let mut page = Exposition::default();
        page.counter("vola_ticks_total", "Ticks that ran.")
            .value("vola_ticks_total", &[], 42.0);
        page.gauge("vola_stage_seconds", "Time of a stage.\nWall time.")
            .value(
                "vola_stage_seconds",
                &[("stage", "vi\"sion"), ("quantile", "0.5")],
                0.25,
            )
            .value("vola_stage_seconds", &[("stage", "a\\b")], f64::INFINITY)
            .value("vola_stage_seconds", &[("stage", "c")], f64::NAN);
        assert_eq!(
            page.finish(),
            "# HELP vola_ticks_total Ticks that ran.\n\
             # TYPE vola_ticks_total counter\n\
             vola_ticks_total 42\n\
             # HELP vola_stage_seconds Time of a stage.\\nWall time.\n\
             # TYPE vola_stage_seconds gauge\n\
             vola_stage_seconds{stage=\"vi\\\"sion\",quantile=\"0.5\"} 0.25\n\
             vola_stage_seconds{stage=\"a\\\\b\"} +Inf\n\
             vola_stage_seconds{stage=\"c\"} NaN\n"
        );
    }
}

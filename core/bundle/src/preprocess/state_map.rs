//! Finds the policy's state values by name in the robot's vector.

use crate::error::BundleError;
use crate::observation::StateVector;
use crate::wording::quoted;

/// The order of the policy's names in the robot's vector, kept while the
/// robot's names stay the same.
#[derive(Debug, Default)]
pub(super) struct StateMap {
    robot_names: Vec<String>,
    places: Vec<usize>,
    values: Vec<f64>,
}

impl StateMap {
    /// Reads the policy's values, in the policy's order.
    pub(super) fn read(
        &mut self,
        needed: &[String],
        state: StateVector<'_>,
    ) -> Result<(), BundleError> {
        if self.robot_names != state.names || self.places.len() != needed.len() {
            self.places = places(needed, state.names)?;
            self.robot_names = state.names.to_vec();
        }
        self.values.clear();
        collect(needed, &self.places, state, &mut self.values)
    }

    /// The values read last.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }
}

/// The values of `needed`, found by name.
pub(crate) fn read_state(
    needed: &[String],
    state: StateVector<'_>,
) -> Result<Vec<f64>, BundleError> {
    let places = places(needed, state.names)?;
    let mut values = Vec::with_capacity(needed.len());
    collect(needed, &places, state, &mut values)?;
    Ok(values)
}

fn places(needed: &[String], given: &[String]) -> Result<Vec<usize>, BundleError> {
    let place = |name: &String| given.iter().position(|other| other == name);
    let missing: Vec<&String> = needed.iter().filter(|name| place(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(needed.iter().filter_map(place).collect());
    }
    Err(BundleError::StateNames {
        missing: quoted(missing),
        expected: quoted(needed),
        got: quoted(given),
    })
}

fn collect(
    needed: &[String],
    places: &[usize],
    state: StateVector<'_>,
    values: &mut Vec<f64>,
) -> Result<(), BundleError> {
    if state.names.len() != state.values.len() {
        return Err(BundleError::Length {
            what: "observation.state".to_owned(),
            expected: state.names.len(),
            got: state.values.len(),
        });
    }
    for (name, &place) in needed.iter().zip(places) {
        let value = state.values.get(place).copied().unwrap_or(f64::NAN);
        if !value.is_finite() {
            return Err(BundleError::InputNotFinite {
                what: format!("observation.state: `{name}`"),
                value,
            });
        }
        values.push(value);
    }
    Ok(())
}

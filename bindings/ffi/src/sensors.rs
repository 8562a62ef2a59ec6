//! What the location service asks of its sensors.

use gridwalk_track::plan;

/// How the phone is supplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Power {
    /// How full the battery is, in percent, where that is known.
    pub percent: Option<u8>,
    /// Whether it is being charged.
    pub charging: bool,
    /// Whether the system saves power.
    pub saving: bool,
}

impl From<Power> for plan::Power {
    fn from(power: Power) -> Self {
        Self {
            percent: power.percent,
            charging: power.charging,
            saving: power.saving,
        }
    }
}

/// What to ask of the sensors.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct SensorPlan {
    /// Milliseconds between two positions.
    pub every_ms: u32,
    /// How much they may cost.
    pub priority: SensorPriority,
    /// Metres that the phone must have moved for a position to be delivered.
    pub displacement_m: f32,
}

impl From<plan::Request> for SensorPlan {
    fn from(request: plan::Request) -> Self {
        Self {
            every_ms: request.every_ms,
            priority: request.priority.into(),
            displacement_m: request.displacement_m,
        }
    }
}

/// How much a position may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SensorPriority {
    /// The best that the phone has: its satellite receiver.
    High,
    /// Whatever is cheap: there is no position to be had anyway.
    Balanced,
}

impl From<plan::Priority> for SensorPriority {
    fn from(priority: plan::Priority) -> Self {
        match priority {
            plan::Priority::High => Self::High,
            plan::Priority::Balanced => Self::Balanced,
        }
    }
}

//! syncmon: a static status page that says, truthfully, whether the data syncs are working.
//!
//! A tour in reading order, which is also the order in which a build runs:
//!
//! 1. [`cli`] and [`commands`]: what the user asked for; [`commands::build`] reads as the recipe.
//! 2. [`config`]: `syncmon.toml`, validated once.
//! 3. [`store`]: one connection, ONE statement, decoded into the [`model`]'s snapshot, with every
//!    text cleaned by [`text`] and [`masking`] on its way in.
//! 4. [`kept`]: the last good snapshot, for the day on which the database is away; and what people were told.
//! 5. [`health`]: snapshot + policy + now, judged. The rules are those of `docs/verdict.md`.
//! 6. [`changes`]: when verdicts changed, as far as it is known or was seen.
//! 7. [`views`]: the assessment in words; everything decided and formatted.
//! 8. [`render`]: views into files, through tera, in the colours of the [`brand`].
//! 9. [`publish`]: files into the directory that is served, all at once.
//! 10. [`alerts`]: who is to be told what has changed; [`channels`]: how it gets there.
//!
//! Beside a build, [`recording`] runs commands and tells [`store`] how they went, in the form of [`report`].
//!
//! To look for what is wrong along that way, [`doctor`] concludes from what [`store`], [`place`] and [`visit`] find.
//!
//! `alerts`, `brand`, `doctor`, `model`, `report`, `health`, `changes`, `text`, `masking` and `views` are pure: no clock, no file, no
//! database.

pub mod alerts;
pub mod brand;
pub mod changes;
pub mod channels;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod failure;
#[cfg(test)]
mod generators;
pub mod health;
pub mod kept;
pub mod masking;
pub mod model;
pub mod place;
pub mod publish;
pub mod recording;
pub mod render;
pub mod report;
#[cfg(test)]
mod scheduled;
pub mod store;
pub mod text;
pub mod views;
pub mod visit;

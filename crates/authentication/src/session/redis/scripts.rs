//! The scripts. Each begins with what all share.

use std::sync::LazyLock;

use crate::storage::redis::Script;

macro_rules! script {
    ($file:literal) => {
        LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/lib.lua"), include_str!(concat!("scripts/", $file))))
        })
    };
    // For what makes room, or ends somebody: a full server does it as well.
    ($file:literal, also when full) => {
        LazyLock::new(|| {
            Script::new(concat!(
                "#!lua flags=allow-oom\n",
                include_str!("scripts/lib.lua"),
                include_str!(concat!("scripts/", $file))
            ))
        })
    };
}

pub(super) static INSERT_ROOT: LazyLock<Script> = script!("insert_root.lua");
pub(super) static INSERT_CHILD: LazyLock<Script> = script!("insert_child.lua");
pub(super) static LOAD: LazyLock<Script> = script!("load.lua");
pub(super) static UPDATE: LazyLock<Script> = script!("update.lua");
pub(super) static ADD_CARD: LazyLock<Script> = script!("add_card.lua");
pub(super) static MARK: LazyLock<Script> = script!("mark.lua", also when full);
pub(super) static BIND: LazyLock<Script> = script!("bind.lua");
pub(super) static COUNT_PROOF: LazyLock<Script> = script!("count_proof.lua");
pub(super) static TOUCH: LazyLock<Script> = script!("touch.lua");
pub(super) static REMOVE: LazyLock<Script> = script!("remove.lua", also when full);
pub(super) static REMEMBER_END: LazyLock<Script> = script!("remember_end.lua", also when full);
pub(super) static FORGET_ENDS: LazyLock<Script> = script!("forget_ends.lua", also when full);
pub(super) static PURGE: LazyLock<Script> = script!("purge.lua", also when full);
pub(super) static FIND: LazyLock<Script> = script!("find.lua", also when full);
pub(super) static JOIN: LazyLock<Script> = script!("join.lua", also when full);
pub(super) static GONE: LazyLock<Script> = script!("gone.lua");

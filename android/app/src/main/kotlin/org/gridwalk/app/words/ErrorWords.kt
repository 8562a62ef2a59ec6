package org.gridwalk.app.words

import org.gridwalk.app.parts.Problem
import org.gridwalk.core.Advice
import org.gridwalk.core.EngineException
import org.gridwalk.shared.R
import org.gridwalk.shared.key.KeyLost

/** What happened and what to do, for anything that the core or the key provider throws. */
fun problemOf(error: Throwable): Problem = Problem(
    when (error) {
        is EngineException -> wordOf(error)
        is KeyLost -> R.string.error_key_missing
        else -> R.string.error_internal
    },
)

private fun wordOf(error: EngineException): Int = when (error) {
    is EngineException.Offline -> R.string.error_network
    is EngineException.Busy -> R.string.error_busy
    is EngineException.ServerFault, is EngineException.BadAnswer -> R.string.error_server_refused
    is EngineException.Untrusted -> R.string.error_server_untrusted
    is EngineException.SignedOut -> R.string.error_revoked
    is EngineException.BadInvitation -> R.string.error_link_unreadable
    is EngineException.EnrolRefused -> if (error.code == "code_expired") R.string.error_code_expired else R.string.error_code_wrong
    is EngineException.AlreadyEnrolled -> R.string.error_enrolled
    is EngineException.OtherWorker -> R.string.error_other_worker
    is EngineException.Wiped -> R.string.error_wiped
    is EngineException.NoShift -> R.string.error_off_shift
    is EngineException.ChooseGrid -> R.string.shift_which_grid
    is EngineException.UnknownGrid, is EngineException.OutOfScope -> R.string.error_no_grid
    is EngineException.DiskFull -> R.string.error_storage_full
    is EngineException.PhotoNotTaken -> R.string.error_photo_unreadable
    is EngineException.WrongKey -> R.string.error_key_missing
    is EngineException.Damaged -> R.string.error_database_damaged
    is EngineException.TooNew -> R.string.error_too_new
    is EngineException.InUse -> R.string.error_in_use
    // What the screens do not offer, or what only another try can mend.
    is EngineException.Closed, is EngineException.NoCipher, is EngineException.Storage, is EngineException.NotEnrolled,
    is EngineException.ShiftRunning, is EngineException.NoPatrol, is EngineException.PatrolRunning, is EngineException.PatrolPaused,
    is EngineException.PatrolNotPaused, is EngineException.BadInput, is EngineException.UnknownCategory, is EngineException.NotFound,
    is EngineException.Cancelled, is EngineException.NoEntropy,
    -> R.string.error_internal
}

/** What to do about something that the server did not take. */
fun adviceWord(advice: Advice): Int = when (advice) {
    Advice.ASK_SUPERVISOR -> R.string.advice_ask_supervisor
    Advice.WAIT_FOR_REVIEW -> R.string.advice_wait_for_review
    Advice.UPGRADE -> R.string.advice_upgrade
    Advice.RETRIED_DAILY -> R.string.advice_retried_daily
}

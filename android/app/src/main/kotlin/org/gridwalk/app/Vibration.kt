package org.gridwalk.app

import android.content.Context
import android.os.VibrationEffect
import android.os.Vibrator

private const val CONFIRM_MS = 120L

/** Felt in a gloved hand: what was to be saved is saved, and the eyes are elsewhere. */
fun confirmByVibration(context: Context) {
    context.getSystemService(Vibrator::class.java)?.vibrate(VibrationEffect.createOneShot(CONFIRM_MS, VibrationEffect.DEFAULT_AMPLITUDE))
}

package org.gridwalk.shared.location

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.PowerManager
import androidx.core.content.ContextCompat
import kotlinx.coroutines.channels.awaitClose
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.callbackFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import org.gridwalk.core.Power

/** How the phone is supplied. */
interface Supply {
    /** As it is now, then after each change. */
    val power: Flow<Power>
}

/** What the system says of its battery. */
class SystemSupply(private val context: Context) : Supply {
    private val manager = context.getSystemService(PowerManager::class.java)

    override val power: Flow<Power> = callbackFlow {
        val receiver = heard(context, Intent.ACTION_BATTERY_CHANGED, PowerManager.ACTION_POWER_SAVE_MODE_CHANGED) { trySend(measured()) }
        trySend(measured())
        awaitClose { context.unregisterReceiver(receiver) }
    }.conflate().distinctUntilChanged()

    private fun measured(): Power {
        // The system keeps the last one for whoever asks.
        val battery = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        fun of(name: String) = battery?.getIntExtra(name, -1) ?: -1
        val (level, scale) = of(BatteryManager.EXTRA_LEVEL) to of(BatteryManager.EXTRA_SCALE)
        return Power(
            percent = if (level in 0..scale && scale > 0) (level * 100 / scale).toUByte() else null,
            charging = of(BatteryManager.EXTRA_PLUGGED) > 0,
            saving = manager.isPowerSaveMode,
        )
    }
}

/** Hears what the system tells everybody; to be unregistered. */
internal fun heard(context: Context, vararg actions: String, onHeard: () -> Unit): BroadcastReceiver {
    val receiver = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) = onHeard()
    }
    ContextCompat.registerReceiver(context, receiver, IntentFilter().apply { actions.forEach(::addAction) }, ContextCompat.RECEIVER_NOT_EXPORTED)
    return receiver
}

package org.gridwalk.shared.sync

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import org.gridwalk.core.NetworkCost

/** The phone's network, as the engine asks for it. */
class Networks(context: Context) {
    private val manager = context.getSystemService(ConnectivityManager::class.java)

    fun cost(): NetworkCost = when {
        manager.activeNetwork == null -> NetworkCost.OFFLINE
        manager.isActiveNetworkMetered -> NetworkCost.METERED
        else -> NetworkCost.UNMETERED
    }

    /** Calls [onReturned] whenever there is a network after there was none, for as long as the process lives. */
    fun watch(onReturned: () -> Unit) = manager.registerDefaultNetworkCallback(
        object : ConnectivityManager.NetworkCallback() {
            private var isGone = cost() == NetworkCost.OFFLINE

            override fun onAvailable(network: Network) {
                if (isGone) onReturned()
                isGone = false
            }

            override fun onLost(network: Network) {
                isGone = true
            }
        },
    )
}

package org.gridwalk.app.day

import androidx.core.content.FileProvider
import androidx.work.Configuration
import androidx.work.testing.WorkManagerTestInitHelper
import java.io.File
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec
import kotlinx.coroutines.runBlocking
import org.gridwalk.app.GridwalkApp
import org.gridwalk.shared.CoreState
import org.gridwalk.shared.key.KeyWrapper

/**
 * The app as it ships, over the real library, but for two things: Robolectric
 * has no Android Keystore, and a phone that is killed must find its files again
 * in another process.
 */
class TestApp : GridwalkApp() {
    override val folder: File
        get() = System.getProperty("gridwalk.phone")?.let(::File) ?: super.folder

    override fun keyWrapper() = FixedWrapper(PHONE)

    override fun onCreate() {
        super.onCreate()
        // It remembers the folders of the test before, whose process this still is.
        (FileProvider::class.java.getDeclaredField("sCache").apply { isAccessible = true }.get(null) as MutableMap<*, *>).clear()
        // Work waits for its constraints, which the tests say are met.
        WorkManagerTestInitHelper.initializeTestWorkManager(this, Configuration.Builder().build(), WorkManagerTestInitHelper.ExecutorsMode.USE_TIME_BASED_SCHEDULING)
    }

    override fun onTerminate() {
        (core.state.value as? CoreState.Open)?.let { runBlocking { it.gridwalk.shut() } }
        super.onTerminate()
    }

    companion object {
        const val PHONE = 7
    }
}

/** Stands for a phone's Keystore: the key numbered [phone] of AES-GCM. */
class FixedWrapper(phone: Int) : KeyWrapper {
    private val key = SecretKeySpec(ByteArray(32) { phone.toByte() }, "AES")
    private val nonce = GCMParameterSpec(128, ByteArray(12) { it.toByte() })

    override fun wrap(plain: ByteArray): ByteArray = cipher(Cipher.ENCRYPT_MODE).doFinal(plain)

    /** @throws AEADBadTagException where another phone sealed it. */
    override fun unwrap(sealed: ByteArray): ByteArray = cipher(Cipher.DECRYPT_MODE).doFinal(sealed)

    /** Nothing to forget: the key is made of a number. */
    override fun destroy() = Unit

    private fun cipher(mode: Int) = Cipher.getInstance("AES/GCM/NoPadding").apply { init(mode, key, nonce) }
}

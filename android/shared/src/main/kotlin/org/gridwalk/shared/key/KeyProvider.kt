package org.gridwalk.shared.key

import android.util.AtomicFile
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.GeneralSecurityException

/** Where the data file's key comes from. */
interface KeyProvider {
    /**
     * The 32 bytes of the data file's key; made when first asked for.
     *
     * @throws KeyLost where there is data, but no key that could open it.
     */
    fun key(): ByteArray

    /** Makes the data unreadable for ever: the phone was reported stolen. The next [key] is a new one. */
    fun destroy()
}

/**
 * There is data on this phone whose key is gone. Making another would hide it
 * for ever, so that is left to people.
 */
class KeyLost(cause: Exception?) : Exception("the key of the data file cannot be read; the data was left as it is", cause)

/** Seals a few bytes so that only this phone can open them. */
interface KeyWrapper {
    /** @throws GeneralSecurityException where the system's key store fails. */
    fun wrap(plain: ByteArray): ByteArray

    /** @throws GeneralSecurityException where they were sealed by another key. */
    fun unwrap(sealed: ByteArray): ByteArray

    /** Forgets what it seals with: nothing that it sealed can be opened again. */
    fun destroy()
}

/**
 * A random key, kept in [file] as [wrapper] sealed it. [data] is the data file:
 * while it exists, a missing key is an error and not a reason to make one.
 *
 * @param random draws that many bytes.
 */
class WrappedKeyProvider(
    private val file: File,
    private val data: File,
    private val wrapper: KeyWrapper,
    private val random: (Int) -> ByteArray,
) : KeyProvider {
    @Synchronized
    override fun key(): ByteArray {
        val sealed = try {
            AtomicFile(file).readFully()
        } catch (_: FileNotFoundException) {
            return if (data.exists()) throw KeyLost(null) else make()
        }
        return try {
            wrapper.unwrap(sealed).also { if (it.size != KEY_BYTES) throw KeyLost(null) }
        } catch (error: GeneralSecurityException) {
            // Without data nothing is lost: a phone that was wiped half-way can be enrolled again.
            if (data.exists()) throw KeyLost(error) else make()
        }
    }

    @Synchronized
    override fun destroy() {
        wrapper.destroy()
        AtomicFile(file).delete()
    }

    /** Written through to the disk before it is used: data under an unsaved key would be lost. */
    private fun make(): ByteArray {
        val key = random(KEY_BYTES)
        val sealed = try {
            wrapper.wrap(key)
        } catch (error: GeneralSecurityException) {
            throw KeyLost(error)
        }
        file.parentFile?.mkdirs()
        val target = AtomicFile(file)
        val stream = target.startWrite()
        try {
            stream.write(sealed)
            target.finishWrite(stream)
        } catch (error: IOException) {
            target.failWrite(stream)
            throw error
        }
        return key
    }

    private companion object {
        const val KEY_BYTES = 32
    }
}

package org.gridwalk.shared

import java.io.File
import org.gridwalk.app.day.FixedWrapper
import org.gridwalk.shared.key.KeyLost
import org.gridwalk.shared.key.WrappedKeyProvider
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class KeyProviderTest {
    @get:Rule
    val scratch = TemporaryFolder()

    private val file get() = File(scratch.root, "keys/gridwalk.key")
    private val data get() = File(scratch.root, "gridwalk.db")
    private var drawn = 0

    private fun provider(phone: Int = 1) = WrappedKeyProvider(file, data, FixedWrapper(phone)) { size ->
        drawn++
        ByteArray(size) { (it + drawn).toByte() }
    }

    @Test
    fun the_first_key_is_drawn_and_then_stays() {
        val key = provider().key()
        assertEquals(32, key.size)
        assertArrayEquals(key, provider().key())
        assertEquals(1, drawn)
    }

    @Test
    fun the_file_does_not_hold_the_key_itself() {
        val key = provider().key()
        assertFalse(String(file.readBytes(), Charsets.ISO_8859_1).contains(String(key, Charsets.ISO_8859_1)))
    }

    @Test
    fun data_without_its_key_is_left_alone() {
        provider().key()
        data.writeText("not sent yet")
        assertTrue(file.delete())
        assertThrows(KeyLost::class.java) { provider().key() }
        assertFalse("no new key hides the old data", file.exists())
    }

    @Test
    fun a_key_of_another_phone_opens_nothing_and_is_not_replaced_while_there_is_data() {
        provider(phone = 1).key()
        val sealed = file.readBytes()
        data.writeText("not sent yet")
        assertThrows(KeyLost::class.java) { provider(phone = 2).key() }
        assertArrayEquals(sealed, file.readBytes())
    }

    @Test
    fun a_destroyed_key_comes_back_neither_from_the_file_nor_by_another_start() {
        val key = provider().key()
        provider().destroy()
        assertFalse(file.exists())
        assertFalse(key.contentEquals(provider().key()))
    }

    @Test
    fun a_phone_without_data_begins_anew() {
        provider(phone = 1).key()
        provider(phone = 2).key()
        assertEquals(2, drawn)
    }
}

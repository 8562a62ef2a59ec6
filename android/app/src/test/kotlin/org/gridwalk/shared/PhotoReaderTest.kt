package org.gridwalk.shared

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.media.ExifInterface
import java.io.File
import org.gridwalk.shared.photo.PhotoReader
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class PhotoReaderTest {
    @get:Rule
    val scratch = TemporaryFolder()

    /** Left half red, right half blue. */
    private fun photo(width: Int, height: Int): File = scratch.newFile("photo.jpg").also { file ->
        val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        Canvas(bitmap).run {
            drawColor(Color.BLUE)
            drawRect(0f, 0f, width / 2f, height.toFloat(), Paint().apply { color = Color.RED })
        }
        file.outputStream().use { bitmap.compress(Bitmap.CompressFormat.JPEG, 95, it) }
    }

    private fun size(jpeg: ByteArray): Pair<Int, Int> = BitmapFactory.decodeByteArray(jpeg, 0, jpeg.size).let { it.width to it.height }

    @Test
    fun a_large_photo_is_made_smaller_and_keeps_its_shape() {
        val jpeg = PhotoReader.read(photo(4000, 3000))!!
        assertEquals(2048 to 1536, size(jpeg))
    }

    @Test
    fun a_small_photo_keeps_its_size() {
        assertEquals(640 to 480, size(PhotoReader.read(photo(640, 480))!!))
    }

    @Test
    fun a_photo_taken_upright_stands_upright() {
        val file = photo(400, 200)
        ExifInterface(file.path).run {
            setAttribute(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_ROTATE_90.toString())
            saveAttributes()
        }
        val upright = PhotoReader.decode(file, 480)!!
        assertEquals(200 to 400, upright.width to upright.height)
        assertTrue("what was left is above", Color.red(upright.getPixel(100, 50)) > 200 && Color.blue(upright.getPixel(100, 350)) > 200)
    }

    @Test
    fun what_is_no_picture_is_said_to_be_none() {
        assertNull(PhotoReader.read(scratch.newFile("empty.jpg")))
        assertNull(PhotoReader.read(scratch.newFile("text.jpg").apply { writeText("not a picture") }))
        assertNull(PhotoReader.read(File(scratch.root, "missing.jpg")))
    }
}

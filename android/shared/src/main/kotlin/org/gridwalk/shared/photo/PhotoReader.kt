package org.gridwalk.shared.photo

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import java.io.ByteArrayOutputStream
import java.io.File

/**
 * Reads what the camera left, upright and no larger than a supervisor's screen
 * can show: a twelve-megapixel file is minutes of a village's signal.
 */
object PhotoReader {
    /** The longer side of what is sent, in pixels. */
    const val SENT_PX = 2048

    /** The longer side of what the form shows. */
    const val SHOWN_PX = 480

    private const val QUALITY = 85

    /** As JPEG, ready to be reported; null where it is no picture. */
    fun read(file: File): ByteArray? {
        val bitmap = decode(file, SENT_PX) ?: return null
        return ByteArrayOutputStream().use { out ->
            bitmap.compress(Bitmap.CompressFormat.JPEG, QUALITY, out)
            out.toByteArray()
        }
    }

    /** The picture, upright, its longer side at most [longest]; null where it is none. */
    fun decode(file: File, longest: Int): Bitmap? {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeFile(file.path, bounds)
        val side = maxOf(bounds.outWidth, bounds.outHeight)
        if (side <= 0) return null
        // Halves in the decoder, so that the whole never lies in memory; the rest by scaling.
        val options = BitmapFactory.Options().apply { inSampleSize = Integer.highestOneBit(maxOf(1, side / longest)) }
        val rough = BitmapFactory.decodeFile(file.path, options) ?: return null
        val scale = minOf(1f, longest.toFloat() / maxOf(rough.width, rough.height))
        val matrix = Matrix().apply {
            postScale(scale, scale)
            postRotate(turn(file).toFloat())
        }
        return if (matrix.isIdentity) rough else Bitmap.createBitmap(rough, 0, 0, rough.width, rough.height, matrix, true)
    }

    /** Degrees clockwise from how it is stored to how it was seen. */
    private fun turn(file: File): Int = when (ExifInterface(file.path).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)) {
        ExifInterface.ORIENTATION_ROTATE_90 -> 90
        ExifInterface.ORIENTATION_ROTATE_180 -> 180
        ExifInterface.ORIENTATION_ROTATE_270 -> 270
        else -> 0
    }
}

package org.gridwalk.app.enrolment

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.unit.dp
import org.gridwalk.app.R
import org.gridwalk.app.look.Tokens
import org.gridwalk.app.look.now
import org.gridwalk.app.parts.BigButton
import org.gridwalk.app.parts.Disc
import org.gridwalk.app.parts.Muted
import org.gridwalk.app.parts.Notice
import org.gridwalk.app.parts.Page
import org.gridwalk.app.parts.Problem
import org.gridwalk.app.parts.ProblemNotice
import org.gridwalk.app.parts.StateWord
import org.gridwalk.app.words.words
import org.gridwalk.shared.R as Shared

/** What the enrolment screen shows. */
data class EnrolmentState(
    /** What was typed, or the whole text of the QR code. */
    val code: String = "",
    /** The server's address, asked for only where the code does not carry it. */
    val server: String = "",
    /** The code came from a QR code and names its server itself. */
    val scanned: Boolean = false,
    val working: Boolean = false,
    val problem: Problem? = null,
    /** What people who left this phone have not sent yet. */
    val left: Long = 0,
) {
    val canEnrol get() = code.isNotBlank() && (scanned || server.isNotBlank())
}

/** What can be done on it. */
class EnrolmentActions(val onCode: (String) -> Unit = {}, val onServer: (String) -> Unit = {}, val onEnrol: () -> Unit = {}, val onBack: (() -> Unit)? = null)

/** The phone belongs to nobody, or the server knows it no more: a code makes it a gridworker's. */
@Composable
fun EnrolmentScreen(state: EnrolmentState, actions: EnrolmentActions) {
    Page(
        title = words().say(Shared.string.app_name),
        onBack = actions.onBack,
        bottom = {
            ProblemNotice(state.problem)
            BigButton(
                words().say(if (state.working) Shared.string.enrol_working else Shared.string.enrol_action),
                R.drawable.ic_badge,
                actions.onEnrol,
                enabled = state.canEnrol,
                busy = state.working,
            )
        },
    ) {
        Spacer(Modifier.height(8.dp))
        Row(verticalAlignment = Alignment.CenterVertically, horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            Disc(R.drawable.ic_qr, MaterialTheme.colorScheme.primary, Modifier.size(56.dp))
            Text(words().say(Shared.string.enrol_title), style = MaterialTheme.typography.displaySmall)
        }
        Text(words().say(Shared.string.enrol_intro))
        if (state.left > 0) StateWord(words().say(Shared.string.enrol_left, state.left), R.drawable.ic_waiting, Tokens.Waiting.now)
        if (state.scanned) {
            Notice(words().say(Shared.string.enrol_scanned), R.drawable.ic_sent, Tokens.Done.now)
        }
        Field(words().say(Shared.string.enrol_code), state.code, actions.onCode, state, KeyboardType.Ascii, if (state.scanned) ImeAction.Done else ImeAction.Next, actions.onEnrol)
        if (!state.scanned) {
            Field(words().say(Shared.string.enrol_server), state.server, actions.onServer, state, KeyboardType.Uri, ImeAction.Done, actions.onEnrol)
        }
    }
}

@Composable
private fun Field(label: String, value: String, onValue: (String) -> Unit, state: EnrolmentState, keyboard: KeyboardType, ime: ImeAction, onDone: () -> Unit) {
    OutlinedTextField(
        value,
        onValue,
        Modifier.fillMaxWidth().heightIn(min = Tokens.Target),
        enabled = !state.working,
        label = { Text(label) },
        textStyle = MaterialTheme.typography.bodyLarge,
        keyboardOptions = KeyboardOptions(KeyboardCapitalization.None, autoCorrectEnabled = false, keyboardType = keyboard, imeAction = ime),
        keyboardActions = KeyboardActions(onDone = { if (state.canEnrol) onDone() }),
        shape = MaterialTheme.shapes.small,
    )
}

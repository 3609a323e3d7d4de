# Was Menschen auf den Seiten des Gateways lesen. Ein Text ist Text: Auszeichnungen darin werden gezeigt, wie sie dastehen.

## Auf vielen Seiten

request-id = Anfragenummer
error-number = Fehler { $status }
sign-in = Anmelden
sign-out = Abmelden
try-again = Erneut versuchen
go-on = Weiter
as-someone-else = Als jemand anderes anmelden
to-your-apps = Zu Ihren Apps
through-provider = über { $provider }
and-more = und { $count } weitere
or-through = Oder melden Sie sich an über
first-sign-in = Bitte melden Sie sich zuerst an
welcome-back = Willkommen zurück
email-address = E-Mail-Adresse
none = keine

## Anmelden

chooser-title = Anmelden bei { $host }
chooser-to = um zu { $host } zu gelangen
chooser-find = Finden Sie Ihren unter { $count } Anbietern
chooser-ways = Wege zur Anmeldung
chooser-none = Keiner heißt so.
chooser-or-email = oder lassen Sie Ihre E-Mail-Adresse wählen
chooser-email-help = Sie dient nur dazu, Ihren Anmeldedienst zu finden, und sonst zu nichts.
chooser-email-unknown = Mit dieser Adresse meldet hier niemand an. Prüfen Sie sie auf Tippfehler, oder wählen Sie oben.
sign-in-failed = Die Anmeldung ist fehlgeschlagen
one-moment = Einen Moment
on-your-way = Sie sind auf dem Weg zu { $place }.

step-up-title = Eine stärkere Anmeldung ist nötig
step-up-lead = Sie haben sich angemeldet, aber nicht so, wie es diese Seite verlangt, und { $provider } hat nicht mehr bestätigt.
step-up-came = Was verlangt war und was kam
step-up-row = { $wanted }. Gekommen ist: { $found }
step-up-note = Vielleicht müssen Sie bei { $provider } zuerst einen weiteren Weg zur Anmeldung einrichten. Bleibt es dabei, geben Sie die Anfragenummer unten an die Betreiber dieser App weiter.

cross-site-title = Nicht von hier
cross-site-lead = Dieses Formular funktioniert nur von einer Seite dieser Website aus.

ended-meanwhile-title = Ihre Sitzung ist beendet
ended-meanwhile-lead = Ihre Sitzung endete, bevor die App geantwortet hatte. Was Sie gesendet haben, ist vielleicht trotzdem angekommen.
ended-meanwhile-advice = Melden Sie sich an und sehen Sie nach, bevor Sie es noch einmal senden.
ended-elsewhere-title = Sie sind hier abgemeldet
ended-elsewhere-lead = Diese Anmeldung wurde von einem anderen Browser oder Gerät aus beendet, auf der Seite, die zeigt, wo Sie angemeldet sind.
ended-elsewhere-advice = Waren Sie das nicht, melden Sie sich an, sehen Sie sich diese Seite an, und ändern Sie Ihr Passwort.
ended-newer-lead = Sie haben sich anderswo angemeldet und dürfen nur an einer begrenzten Zahl von Orten angemeldet sein: Die älteste Anmeldung, die dieses Browsers, ist beendet.
ended-newer-advice = Melden Sie sich hier wieder an, endet die dann älteste. War die andere Anmeldung nicht Ihre, ändern Sie Ihr Passwort.

## Formulare und Adressen, die auf eine Anmeldung warten

not-kept-lead = Um dieses Formular zu senden, müssen Sie angemeldet sein. Es ist nicht zur App gelangt und wird nicht aufbewahrt.
not-kept-advice = Gehen Sie zurück und kopieren Sie, was Sie geschrieben haben, bevor Sie sich anmelden. Senden Sie es danach noch einmal.
keep-title = Anmelden, um Ihr Formular zu senden
keep-lead = Um dieses Formular zu senden, müssen Sie angemeldet sein. Es ist noch nicht zur App gelangt.
keep-no-script = Dieser Browser führt keine Skripte aus; das Formular kann nicht für Sie aufbewahrt werden. Gehen Sie zurück und kopieren Sie, was Sie geschrieben haben, bevor Sie sich anmelden.
keep-kept = Was Sie eingegeben haben, bleibt versiegelt in diesem Tab und wird gesendet, sobald Sie angemeldet sind.
keep-no-room = Um dieses Formular zu senden, müssen Sie angemeldet sein. Es ist nicht zur App gelangt, und dieser Browser hat keinen Platz, es aufzubewahren.
keep-copy = Gehen Sie zurück und kopieren Sie, was Sie geschrieben haben, bevor Sie sich anmelden.
address-lead = Die aufgerufene Adresse ist zu lang, um mitgenommen zu werden. Dieser Tab bewahrt sie auf, während Sie sich anmelden.
address-no-script = Die aufgerufene Adresse ist zu lang, um mitgenommen zu werden, und dieser Browser führt keine Skripte aus, die sie aufbewahren könnten.
address-no-room = Die aufgerufene Adresse ist zu lang, um mitgenommen zu werden, und dieser Browser hat keinen Platz, sie aufzubewahren.
address-by-yourself = Melden Sie sich zuerst an, und rufen Sie die Adresse danach selbst wieder auf.
resume-lead = Sie sind angemeldet. Was dieser Tab für Sie aufbewahrt hat, ist unterwegs.
resume-no-script = Sie sind angemeldet, aber dieser Browser führt keine Skripte aus; was Sie zuvor getan haben, kann nicht wiederhergestellt werden. Bitte tun Sie es noch einmal.
resume-nothing = Sie sind angemeldet, aber es gibt nichts, womit es weitergehen könnte: Es wurde bereits gesendet oder in einem anderen Tab aufbewahrt.
to-start-page = Zur Startseite
replay-title = Ihr Formular wird gesendet
replay-lead = Das zuvor ausgefüllte Formular ist noch nicht zur App gelangt.
replay-in-your-name = Es wird jetzt in Ihrem Namen gesendet, wenn Sie es absenden:
replay-no-script = Dieser Browser führt keine Skripte aus; Ihr Formular kann nicht wiederhergestellt werden. Bitte füllen Sie es noch einmal aus.
replay-lost = Sie sind angemeldet, aber Ihr Formular kann in diesem Browser nicht wiederhergestellt werden. Bitte füllen Sie es noch einmal aus.
replay-send-name = In meinem Namen senden
replay-send = Jetzt senden
replay-leave = Nicht senden

## Verweigert

forbidden-title = Kein Zugang zu { $host }
forbidden-heading = Sie haben keinen Zugang
forbidden-lead = Sie sind angemeldet, aber dieser Teil von { $host } ist für Ihr Konto nicht freigegeben.
forbidden-you = Sie sind
forbidden-takes = Was nötig wäre
forbidden-takes-any = Was nötig wäre: eines davon genügt
forbidden-unknown = Was nicht bekannt ist
forbidden-unsaid = { $provider } hat bei Ihrer Anmeldung nicht gesagt: { $what }. Davon hängt ab, wer hier Zugang hat. Eine neue Anmeldung kann helfen; wenn nicht, können es nur die Betreiber dieser App richten.
forbidden-note = Sollten Sie hier Zugang haben? Geben Sie die Anfragenummer unten an die Betreiber dieser App weiter. Ein eben erst erteilter Zugang gilt vielleicht erst, wenn Sie sich neu anmelden.
back-to-start = Zurück zur Startseite

## Abmelden

sign-out-heading = Abmelden?
sign-out-lead = Sie werden von allen Apps hinter diesem Gateway abgemeldet und auch von { $provider }, sofern das unterstützt wird.
stay-signed-in = Angemeldet bleiben
signed-out = Sie sind abgemeldet
signed-out-lead = Damit ist Ihre Anmeldung für alle Apps hinter diesem Gateway beendet.
signed-out-safe = Sie können dieses Fenster schließen.
signed-out-until-restart = Das konnte nicht gespeichert werden und gilt nur, bis das Gateway neu startet. Sagen Sie den Betreibern, dass der Datenträger nichts mehr annimmt.
signed-out-told = { $provider } weiß ebenfalls davon und hat Sie zurückgeschickt.
signed-out-not-told = { $provider } weiß nichts davon und kennt Sie in diesem Browser vielleicht noch: Eine neue Anmeldung könnte ohne Passwort gelingen.
tokens-taken-back = { $provider } hat die Token zurückgenommen, die dieses Gateway für Sie erhalten hatte.
tokens-asked = { $provider } wurde gebeten, die Token zurückzunehmen, die dieses Gateway für Sie erhalten hatte.
tokens-not-taken-back = { $provider } hat die Token nicht zurückgenommen, die dieses Gateway für Sie erhalten hatte. Das Gateway hat sie vergessen; sie laufen von selbst ab.
signed-out-note = Nicht beendet ist, was eine App selbst in diesem Browser aufbewahrt, und Ihre Anmeldungen in anderen Browsern und auf anderen Geräten.
sign-in-again = Wieder anmelden
nobody-signed-out = Niemand wurde abgemeldet

## Was schiefgeht

error-unsure = Was Sie gesendet haben, ist vielleicht trotzdem angekommen: Sehen Sie nach, bevor Sie es noch einmal senden.
error-where = Wo es hakt
error-again = Diese Seite versucht es in { $span } von selbst wieder.
error-wait = Bitte versuchen Sie es in { $span } noch einmal.
error-stop = Anhalten
error-stopped = Diese Seite versucht es nicht mehr von selbst.
span-seconds = { $count ->
    [one] einer Sekunde
   *[other] { $count } Sekunden
}
span-minutes = { $count ->
    [one] einer Minute
   *[other] { $count } Minuten
}
span-hours = { $count ->
    [one] einer Stunde
   *[other] { $count } Stunden
}

bad-request = Diese Anfrage ist nicht lesbar
bad-request-detail = Etwas darin lässt sich auf zwei Arten verstehen. Deshalb wurde sie hier angehalten und nicht weitergegeben.
bad-request-advice = Hat Sie ein Link hierher geführt, sagen Sie es der Person, von der er stammt. Haben Sie die Adresse selbst eingegeben, prüfen Sie sie.
not-bound = Dieser Browser kann diese Sitzung nicht schützen
not-bound-detail = Sitzungen müssen hier an das Gerät gebunden sein, damit niemand eine gestohlene benutzen kann. Dieser Browser hat das nicht getan.
not-bound-advice = Melden Sie sich ab und mit einem Browser wieder an, der das kann, etwa einem aktuellen Chrome oder Edge auf einem Gerät mit Sicherheitschip.
not-found = Hier ist nichts
not-found-detail = Unter dieser Adresse antwortet keine App.
not-found-advice = Prüfen Sie sie auf Tippfehler, oder fragen Sie die Person, von der sie stammt.
method-not-allowed = Das geht hier nicht
method-not-allowed-detail = Die Adresse gibt es, aber sie nimmt diese Art von Anfrage nicht an.
method-not-allowed-advice = Gehen Sie zurück, und beginnen Sie auf der Seite der App noch einmal.
request-timeout = Die Anfrage hat zu lange gedauert
request-timeout-detail = Sie ist nicht rechtzeitig vollständig angekommen.
request-timeout-advice = Vielleicht ist Ihre Verbindung langsam. Bitte senden Sie sie noch einmal.
content-too-large = Das ist zu groß
content-too-large-detail = Was Sie gesendet haben, ist größer, als diese App annimmt.
content-too-large-advice = Versuchen Sie es mit einer kleineren Datei oder in Teilen.
uri-too-long = Diese Adresse ist zu lang
uri-too-long-detail = Sie ist länger, als das Gateway annimmt.
uri-too-long-advice = Gehen Sie zurück, und beginnen Sie auf der Seite der App noch einmal.
too-many-requests = Einen Moment, bitte
too-many-requests-detail = Von Ihnen kamen mehr Anfragen, als in dieser Zeit erlaubt sind.
too-many-requests-advice = Mit Ihrem Konto ist alles in Ordnung.
internal = Bei uns ist etwas schiefgegangen
internal-detail = Das Gateway konnte diese Anfrage nicht bearbeiten. Das liegt nicht an Ihnen und wurde protokolliert.
internal-advice = Bleibt es dabei, geben Sie die Anfragenummer unten an die Betreiber dieser Website weiter.
app-down = Die App ist nicht erreichbar
app-down-detail = Das Gateway arbeitet, aber die App dahinter antwortet nicht. Mit Ihrer Anmeldung ist alles in Ordnung.
app-down-advice = Vielleicht startet sie gerade neu. Bleibt sie aus, geben Sie die Anfragenummer unten an ihre Betreiber weiter.
app-refused = Die App hat das nicht angenommen
app-refused-detail = Die App hat die Verbindung geschlossen, bevor sie mit dieser Anfrage etwas getan hat. Die Anfrage war zu lang, um sie zurückzuhalten und noch einmal zu senden.
app-refused-advice = Es ist nichts geschehen; Sie können es gefahrlos noch einmal versuchen.
provider-down = Die Anmeldung ist nicht verfügbar
provider-down-detail = { $provider } ist nicht erreichbar, sodass sich darüber gerade niemand anmelden kann. Mit der App selbst ist vielleicht alles in Ordnung.
provider-down-advice = Sie müssen nichts tun, und mit Ihrem Konto ist alles in Ordnung.
overloaded = Gerade ist viel los
overloaded-detail = Es wird mehr gefragt, als auf einmal beantwortet werden kann.
overloaded-advice = Mit Ihrem Konto ist alles in Ordnung.
binding-awaited = Einen Moment, bitte
binding-awaited-detail = Ihr Browser bindet diese Sitzung an Ihr Gerät, was diese Seite verlangt.
binding-awaited-advice = Das dauert ein oder zwei Sekunden.
store-down = Sitzungen sind nicht lesbar
store-down-detail = Das Gateway kann nicht nachsehen, wer angemeldet ist, und lässt deshalb vorerst niemanden durch.
store-down-advice = Sie müssen sich danach nicht neu anmelden.
app-timeout = Die App hat nicht rechtzeitig geantwortet
app-timeout-detail = Das Gateway arbeitet, aber die App dahinter hat zu lange gebraucht. Mit Ihrer Anmeldung ist alles in Ordnung.
app-timeout-advice = Bleibt es dabei, geben Sie die Anfragenummer unten an ihre Betreiber weiter.

part-you = Sie
part-gateway = Gateway
part-provider = Anmeldedienst
part-app = App
part-online = online
part-working = arbeitet
part-down = antwortet nicht
part-refused = hat abgelehnt
part-too-slow = zu langsam
part-not-reachable = nicht erreichbar
part-maybe-fine = vielleicht in Ordnung
part-not-asked = nicht gefragt
part-failed = gescheitert
part-overloaded = überlastet
part-sessions-away = ohne Sitzungen

## Das Portal

skip = Zum Inhalt springen
portal = Portal
portal-apps = Apps
portal-sign-ins = Anmeldungen
portal-account = Konto
apps-title = Ihre Apps
apps-find = App finden
apps-search = Suchen
apps-found = { $count } von { $all }
apps-show-all = Alle zeigen
apps-other = Weitere Apps
apps-more = Und { $count } weitere, die nicht gezeigt werden: Suchen Sie danach.
apps-nothing = Nichts heißt so
apps-nothing-advice = Versuchen Sie es mit einem Teil des Namens oder der Adresse.
apps-none = Keine App ist für Sie freigegeben
apps-none-advice = Nichts hinter diesem Gateway lässt Ihr Konto bisher ein. Sollte es anders sein, sehen Sie nach, { $account }: Meistens ist eine Gruppe nicht angekommen.
apps-none-account = was Ihr Anmeldedienst über Sie sagt

account-title = Ihr Konto
account-said = Was { $provider } über Sie sagt
account-user = Ihr Name in Regeln
account-groups = Gruppen
account-verified = { $address }, bestätigt
account-not-verified = { $address }, nicht bestätigt
account-unlisted = Der Anmeldedienst hat sie nicht genannt.
account-unlisted-others = Es kann weitere geben, die der Anmeldedienst nicht genannt hat.
account-how = Wie Sie angemeldet sind
account-here = Hier angemeldet
account-there = Angemeldet bei { $provider }
account-ends = Endet
account-ends-when = { $when }, ohne Nutzung früher
account-by = Mit
account-strength = Stärke
account-device = Dieses Gerät
account-bound = gebunden: niemand kann eine Kopie dieser Anmeldung anderswo benutzen
account-not-bound = nicht gebunden: dieser Browser hat die Anmeldung nicht mit dem Gerät verknüpft
account-claims = Alle Angaben, wie sie angekommen sind
account-claims-from = Von { $issuer }, wo Sie { $subject } heißen, bei Ihrer Anmeldung oder seither.
account-claims-more = Und { $count } weitere.

sessions-title = Wo Sie angemeldet sind
sessions-here = Dieser Browser
sessions-others = Andere Browser und Geräte
sessions-address = Adresse
sessions-signed-in = Angemeldet
sessions-last-used = Zuletzt benutzt
sessions-on = Auf
sessions-alone = Sie sind sonst nirgends angemeldet.
sessions-more = Es gibt weitere, die nicht gezeigt werden. Die Schaltfläche unten beendet auch sie.
sessions-unknown = Kennen Sie eine davon nicht? Melden Sie sich dort ab, und ändern Sie dann Ihr Passwort bei { $provider }. Was Browser über sich sagen, ist nicht bewiesen.
sessions-end-here = Hier abmelden
sessions-end-there = Dort abmelden
sessions-end-others = Überall sonst abmelden
sessions-ended-one = Diese Anmeldung ist beendet.
sessions-ended-one-more = Ihre Apps sind geschlossen und ihre offenen Verbindungen getrennt.
sessions-ended = { $count ->
    [one] 1 Anmeldung ist beendet.
   *[other] { $count } Anmeldungen sind beendet.
}
sessions-ended-more = { $count ->
    [one] Ihre Apps sind geschlossen und ihre offenen Verbindungen getrennt. Sie sind nur noch hier angemeldet.
   *[other] Ihre Apps sind geschlossen und ihre offenen Verbindungen getrennt. Sie sind nur noch hier angemeldet.
}
sessions-ended-none = Es gab keine andere Anmeldung.
sessions-gone = Sie ist schon weg.
sessions-gone-more = Eine solche Anmeldung von Ihnen gibt es nicht, oder sie war bereits beendet.
sessions-remains = Das Gateway hat die Token von { $provider }, die es dafür hatte, verworfen; zurückgenommen sind sie bei { $provider } nicht. Dort kennt man die Person in jenem Browser vielleicht noch: Eine neue Anmeldung könnte ohne Passwort gelingen.

moment-now = gerade eben
moment-soon = gleich
minutes-ago = { $count ->
    [one] vor 1 Minute
   *[other] vor { $count } Minuten
}
hours-ago = { $count ->
    [one] vor 1 Stunde
   *[other] vor { $count } Stunden
}
days-ago = { $count ->
    [one] vor 1 Tag
   *[other] vor { $count } Tagen
}
in-minutes = { $count ->
    [one] in 1 Minute
   *[other] in { $count } Minuten
}
in-hours = { $count ->
    [one] in 1 Stunde
   *[other] in { $count } Stunden
}
in-days = { $count ->
    [one] in 1 Tag
   *[other] in { $count } Tagen
}

## Woran eine Anmeldung scheitert

failed-away = Der Anmeldedienst ist gerade nicht erreichbar. Bitte versuchen Sie es in einer Minute noch einmal.
failed-denied = Sie haben beim Anmeldedienst abgelehnt, oder er lässt Sie hier nicht ein.
failed-start = Diese Anmeldung konnte nicht abgeschlossen werden. Bitte beginnen Sie auf der gewünschten Seite noch einmal.
failed-answer = Die Antwort des Anmeldedienstes kann nicht angenommen werden.
failed-setup = Die Anmeldung ist hier nicht richtig eingerichtet. Bitte sagen Sie den Betreibern Bescheid.
failed-lost = Diese Anmeldung wurde nicht in diesem Browser begonnen, oder sie hat zu lange gedauert. Bitte versuchen Sie es noch einmal. Bleibt es dabei, erlauben Sie Cookies für diese Website.

## Browser und Geräte

device-on = { $browser } auf { $system }
device-program = ein Programm ({ $program })
device-unknown = Ein unbekannter Browser
device-hidden = Chrome ohne Fenster
device-electron = Eine Electron-App
device-qt = Eine Qt-App
device-android = Eine Android-App
device-iphone = einem iPhone
device-ipad = einem iPad
device-ipod = einem iPod
device-mac = einem Mac

## Was ein Anmeldedienst nicht sagt

gap-user = der Benutzername
gap-email = die E-Mail-Adresse
gap-groups = die Gruppen
gap-scopes = die Berechtigungen
gap-claims = die Angabe, die die Regel nennt
gap-sign-in = wie die Person sich angemeldet hat
gap-binding = ob die Sitzung an ihr Gerät gebunden ist
gap-and = { $one } und { $other }

## Wenn nichts aufgezeichnet werden kann

unrecorded = Es kann nichts aufgezeichnet werden
unrecorded-detail = Das Gateway muss aufzeichnen, was hier geschieht, und hat keinen Platz dafür. Deshalb lässt es vorerst niemanden durch.
unrecorded-advice = Mit Ihrem Konto ist alles in Ordnung.
part-no-record = ohne Aufzeichnung

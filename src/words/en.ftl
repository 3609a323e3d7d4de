# What people read on the pages of the gateway. A text is text: markup in it is shown as it stands.
# `{ $name }` stands for what the page knows. Counts may choose a text: `{ $count -> [one] … *[other] … }`.

## On many pages

request-id = Request id
error-number = Error { $status }
sign-in = Sign in
sign-out = Sign out
try-again = Try again
go-on = Continue
as-someone-else = Sign in as someone else
to-your-apps = Go to your apps
through-provider = through { $provider }
and-more = and { $count } more
or-through = Or sign in through
first-sign-in = First, sign in
welcome-back = Welcome back
email-address = E-mail address
none = none

## Signing in

chooser-title = Sign in to { $host }
chooser-to = to continue to { $host }
chooser-find = Find yours among { $count }
chooser-ways = Ways to sign in
chooser-none = None is called like that.
chooser-or-email = or let your e-mail address choose
chooser-email-help = It is used to find who signs you in, and for nothing else.
chooser-email-unknown = Nobody here signs people in by this address. Check it for typing errors, or choose above.
sign-in-failed = Sign-in did not work
one-moment = One moment
on-your-way = You are on your way to { $place }.

step-up-title = A stronger sign-in is needed
step-up-lead = You signed in, but not in the way that this page asks for, and { $provider } did not give more.
step-up-came = What was asked for, and what came
step-up-row = { $wanted }. What came: { $found }
step-up-note = You may have to set up another way to sign in at { $provider } first. If it stays like this, give the request id below to whoever runs this app.

cross-site-title = Not from here
cross-site-lead = This form works only from a page of this very site.

ended-meanwhile-title = Your session has ended
ended-meanwhile-lead = Your session ended before the app had answered. The app may have received what you sent.
ended-meanwhile-advice = Sign in and look before you send it again.
ended-elsewhere-title = You are signed out here
ended-elsewhere-lead = This sign-in was ended from another browser or device, on the page that shows where you are signed in.
ended-elsewhere-advice = If that was not you, sign in, look at that page, and change your password.
ended-newer-lead = You have signed in elsewhere, and may be signed in at so many places only: the oldest sign-in, the one of this browser, has ended.
ended-newer-advice = If you sign in here again, the one that is the oldest then ends in its turn. If the other sign-in was not yours, change your password.

## Forms and addresses that wait for a sign-in

not-kept-lead = You need to be signed in to send this form. It has not gone to the app, and it is not kept.
not-kept-advice = Go back and copy what you wrote before you sign in, then send it again.
keep-title = Sign in to send your form
keep-lead = You need to be signed in to send this form. It has not gone to the app yet.
keep-no-script = This browser runs no scripts, so the form cannot be kept for you. Go back and copy what you wrote before you sign in.
keep-kept = What you filled in stays in this tab, sealed, and goes out once you are signed in.
keep-no-room = You need to be signed in to send this form. It has not gone to the app, and this browser has no room to keep it.
keep-copy = Go back and copy what you wrote before you sign in.
address-lead = The address you asked for is too long to be taken along. This tab keeps it while you sign in.
address-no-script = The address you asked for is too long to be taken along, and this browser runs no scripts that could keep it.
address-no-room = The address you asked for is too long to be taken along, and this browser has no room to keep it.
address-by-yourself = Sign in first, then come back to the address by yourself.
resume-lead = You are signed in. What this tab has kept for you is on its way.
resume-no-script = You are signed in, but this browser runs no scripts, so what you did before cannot be brought back. Please do it again.
resume-nothing = You are signed in, but there is nothing to go on with: it has gone out already, or it was kept in another tab.
to-start-page = Go to the start page
replay-title = Sending your form
replay-lead = The form that was filled in before has not gone to the app yet.
replay-in-your-name = It goes out in your name now, if you send it:
replay-no-script = This browser runs no scripts, so your form cannot be brought back. Please fill it in again.
replay-lost = You are signed in, but your form cannot be brought back in this browser. Please fill it in again.
replay-send-name = Send it in my name
replay-send = Send it now
replay-leave = Do not send it

## Refused

forbidden-title = No access to { $host }
forbidden-heading = You don’t have access
forbidden-lead = You are signed in, but this part of { $host } is not open to your account.
forbidden-you = You are
forbidden-takes = What it takes
forbidden-takes-any = What it takes: any one of these
forbidden-unknown = What is not known
forbidden-unsaid = { $provider } did not list { $what } when you signed in, and who may come in here hangs on that. Signing in again may help; if not, only whoever runs this app can mend it.
forbidden-note = Should it be open to you? Give the request id below to whoever runs this app. Access given to you just now may count only once you sign in again.
back-to-start = Back to the start page

## Signing out

sign-out-heading = Sign out?
sign-out-lead = You will be signed out of every app behind this gateway, and of { $provider } where it takes part.
stay-signed-in = Stay signed in
signed-out = You are signed out
signed-out-lead = This ended your sign-in for every app behind this gateway.
signed-out-safe = It is safe to close this window.
signed-out-until-restart = It could not be saved: it holds until the gateway restarts. Tell the people who run it that its disk takes nothing any more.
signed-out-told = { $provider } was told as well, and has sent you back.
signed-out-not-told = { $provider } was not told, and may still remember you in this browser: signing in again may take no password.
tokens-taken-back = { $provider } has taken back the tokens that it gave this gateway for you.
tokens-asked = { $provider } has been asked to take back the tokens that it gave this gateway for you.
tokens-not-taken-back = { $provider } did not take back the tokens that it gave this gateway for you. The gateway has forgotten them, and they end by themselves.
signed-out-note = Not ended by this: what an app itself keeps in this browser, and your sign-ins in other browsers and devices.
sign-in-again = Sign in again
nobody-signed-out = Nobody was signed out by this

## What goes wrong

error-unsure = What you sent may have arrived all the same: look before you send it again.
error-where = Where it went wrong
error-again = This page tries again by itself in { $span }.
error-wait = Please try again in { $span }.
error-stop = Stop
error-stopped = This page no longer tries by itself.
span-seconds = { $count ->
    [one] one second
   *[other] { $count } seconds
}
span-minutes = { $count ->
    [one] one minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] one hour
   *[other] { $count } hours
}

bad-request = This request can’t be read
bad-request-detail = Something in it could be understood in two ways, so it was stopped here and not passed on.
bad-request-advice = If a link brought you here, tell whoever gave it to you. If you typed the address, check it.
not-bound = This browser can’t keep this session safe
not-bound-detail = Sessions here must be bound to the device, so that nobody else can use a stolen one. This browser has not done that.
not-bound-advice = Sign out and sign in again with a browser that can, such as a current Chrome or Edge on a device with a security chip.
not-found = There is nothing here
not-found-detail = No app answers at this address.
not-found-advice = Check it for typing errors, or ask whoever gave it to you.
method-not-allowed = That can’t be done here
method-not-allowed-detail = The address exists, but it does not take this kind of request.
method-not-allowed-advice = Go back and start again from the app’s own page.
request-timeout = The request took too long
request-timeout-detail = It did not arrive completely in time.
request-timeout-advice = Your connection may be slow. Please send it again.
content-too-large = That is too large
content-too-large-detail = What you sent is larger than this app takes.
content-too-large-advice = Try a smaller file, or send it in parts.
uri-too-long = This address is too long
uri-too-long-detail = It is longer than the gateway takes.
uri-too-long-advice = Go back and start again from the app’s own page.
too-many-requests = One moment, please
too-many-requests-detail = More requests came from you than are allowed in this time.
too-many-requests-advice = Nothing is wrong with your account.
internal = Something broke on our side
internal-detail = The gateway could not handle this request. It is not your fault, and it has been logged.
internal-advice = If it stays like this, give the request id below to whoever runs this site.
app-down = The app is down
app-down-detail = The gateway works, but the app behind it does not answer. Nothing is wrong with your sign-in.
app-down-advice = It may be restarting. If it stays down, give the request id below to whoever runs it.
app-refused = The app did not take this
app-refused-detail = The app closed its connection before it did anything with this request, which was too long to be held and sent again.
app-refused-advice = Nothing was done, so it is safe to try again.
provider-down = Sign-in is unavailable
provider-down-detail = { $provider } cannot be reached, so nobody can sign in through it right now. The app itself may be fine.
provider-down-advice = There is nothing you need to do, and nothing is wrong with your account.
overloaded = Very busy right now
overloaded-detail = More is being asked than can be answered at once.
overloaded-advice = Nothing is wrong with your account.
binding-awaited = One moment, please
binding-awaited-detail = Your browser is binding this session to your device, which this page asks for.
binding-awaited-advice = It takes a second or two.
store-down = Sessions can’t be read
store-down-detail = The gateway cannot look up who is signed in, so it lets nobody through for now.
store-down-advice = You need not sign in again when it is back.
app-timeout = The app did not answer in time
app-timeout-detail = The gateway works, but the app behind it took too long. Nothing is wrong with your sign-in.
app-timeout-advice = If it stays like this, give the request id below to whoever runs it.

part-you = You
part-gateway = Gateway
part-provider = Identity provider
part-app = App
part-online = online
part-working = working
part-down = down
part-refused = refused
part-too-slow = too slow
part-not-reachable = not reachable
part-maybe-fine = may be fine
part-not-asked = not asked
part-failed = failed
part-overloaded = overloaded
part-sessions-away = sessions away

## The portal

skip = Skip to the content
portal = Portal
portal-apps = Apps
portal-sign-ins = Sign-ins
portal-account = Account
apps-title = Your apps
apps-find = Find an app
apps-search = Search
apps-found = { $count } of { $all }
apps-show-all = Show all
apps-other = Other apps
apps-more = And { $count } more, which are not shown: search for them.
apps-nothing = Nothing is called like that
apps-nothing-advice = Try a part of the name, or of the address.
apps-none = No app is open to you
apps-none-advice = Nothing behind this gateway lets your account in so far. If that is not as it should be, look at { $account }: most often a group has not arrived.
apps-none-account = what your provider says of you

account-title = Your account
account-said = What { $provider } says of you
account-user = Your name in rules
account-groups = Groups
account-verified = { $address }, verified
account-not-verified = { $address }, not verified
account-unlisted = The provider has not listed them.
account-unlisted-others = There may be others that the provider has not listed.
account-how = How you are signed in
account-here = Signed in here
account-there = Signed in at { $provider }
account-ends = Ends
account-ends-when = { $when }, or sooner without use
account-by = By
account-strength = Strength
account-device = This device
account-bound = bound: nobody can use a copy of this sign-in elsewhere
account-not-bound = not bound: this browser has not tied the sign-in to the device
account-claims = All claims as they arrived
account-claims-from = From { $issuer }, which calls you { $subject }, when you signed in or since.
account-claims-more = And { $count } more.

sessions-title = Where you are signed in
sessions-here = This browser
sessions-others = Other browsers and devices
sessions-address = Address
sessions-signed-in = Signed in
sessions-last-used = Last used
sessions-on = On
sessions-alone = You are not signed in anywhere else.
sessions-more = There are more that are not shown. The button below ends them as well.
sessions-unknown = Do you not know one of them? Sign out there, then change your password at { $provider }. What browsers say of themselves is not proved.
sessions-end-here = Sign out here
sessions-end-there = Sign out there
sessions-end-others = Sign out everywhere else
sessions-ended-one = That sign-in has ended.
sessions-ended-one-more = Its apps are closed and its open connections are cut.
sessions-ended = { $count ->
    [one] 1 sign-in has ended.
   *[other] { $count } sign-ins have ended.
}
sessions-ended-more = { $count ->
    [one] Its apps are closed and its open connections are cut. You are signed in here alone.
   *[other] Their apps are closed and their open connections are cut. You are signed in here alone.
}
sessions-ended-none = There was no other sign-in to end.
sessions-gone = It is gone.
sessions-gone-more = There is no such sign-in of yours, or it had ended before.
sessions-remains = The gateway has dropped the tokens of { $provider } that it held for it; they are not taken back at { $provider }, which may still remember the person in that browser: signing in again there may take no password.

moment-now = just now
moment-soon = in a moment
minutes-ago = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
hours-ago = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
days-ago = { $count ->
    [one] 1 day ago
   *[other] { $count } days ago
}
in-minutes = { $count ->
    [one] in 1 minute
   *[other] in { $count } minutes
}
in-hours = { $count ->
    [one] in 1 hour
   *[other] in { $count } hours
}
in-days = { $count ->
    [one] in 1 day
   *[other] in { $count } days
}

## What a sign-in came to nothing by

failed-away = The identity provider cannot be reached at the moment. Please try again in a minute.
failed-denied = You said no at the identity provider, or it does not let you in here.
failed-start = This sign-in could not be finished. Please start again from the page you wanted.
failed-answer = The identity provider gave an answer that cannot be accepted.
failed-setup = Sign-in is not set up correctly here. Please tell the operator.
failed-lost = This sign-in was not begun in this browser, or it took too long. Please try again. If it stays like this, allow cookies for this site.

## Browsers and devices

device-on = { $browser } on { $system }
device-program = a program ({ $program })
device-unknown = An unknown browser
device-hidden = Chrome without a window
device-electron = An Electron app
device-qt = A Qt app
device-android = An Android app
device-iphone = an iPhone
device-ipad = an iPad
device-ipod = an iPod
device-mac = a Mac

## What a provider does not say

gap-user = the user’s name
gap-email = the e-mail address
gap-groups = the groups
gap-scopes = the scopes
gap-claims = the claim that the rule names
gap-sign-in = how the person signed in
gap-binding = whether the session is bound to its device
gap-and = { $one } and { $other }

## Where nothing can be recorded

unrecorded = Nothing can be recorded
unrecorded-detail = The gateway has to keep a record of what is done here, and has no room for it, so it lets nobody through for now.
unrecorded-advice = Nothing is wrong with your account.
part-no-record = no record

"use strict";
location.replace(document.getElementById("onward").href);

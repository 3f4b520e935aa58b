provider "inner" { host = "https://host-1" }

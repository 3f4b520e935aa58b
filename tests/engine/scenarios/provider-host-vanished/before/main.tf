resource "test_thing" "host" {
  name = "host"
}

provider "inner" { host = test_thing.host.endpoint }

resource "inner_pod" "p" {
  name = "p"
}

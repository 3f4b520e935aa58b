resource "test_thing" "host" {
  name = "host"
  size = 1
}

provider "inner" { host = test_thing.host.endpoint }

resource "inner_pod" "p" {
  name = "p"
  size = 1
}

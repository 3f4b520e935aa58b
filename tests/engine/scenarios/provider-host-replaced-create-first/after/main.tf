resource "test_thing" "host" {
  name = "host"
  zone = "y"
  lifecycle {
    create_before_destroy = true
  }
}

provider "inner" { host = test_thing.host.endpoint }

resource "inner_pod" "p" {
  name = "p"
}

resource "test_thing" "host" {
  name = "host"
  zone = "x"
}

provider "inner" { host = test_thing.host.endpoint }

resource "inner_pod" "p" {
  name = "p"
}

resource "inner_pod" "q" {
  name = "q"
  parents = [inner_pod.p.id]
}

removed {
  from = test_thing.b
  lifecycle {
    destroy = false
  }
}

resource "test_thing" "d" {
  name = "d"
}

resource "test_thing" "a" {
  name = "a"
}

removed {
  from = test_thing.a
  lifecycle {
    destroy = false
  }
}

resource "test_thing" "b" {
  name = "b"
}

removed {
  from = test_thing.a
  lifecycle {
    destroy = false
  }
}

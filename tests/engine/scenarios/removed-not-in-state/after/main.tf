removed {
  from = test_thing.a
  lifecycle {
    destroy = false
  }
}

resource "test_thing" "a" {
  name = "a"
  step {
    command = "one"
  }
  lifecycle {
    ignore_changes = [step]
  }
}

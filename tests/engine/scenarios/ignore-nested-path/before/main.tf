resource "test_thing" "a" {
  name = "a"
  step {
    command = "one"
  }
  step {
    command = "two"
  }
  lifecycle {
    ignore_changes = [step[0].command]
  }
}

resource "test_thing" "a" {
  name = "a"
  step {
    command = "uno"
  }
  step {
    command = "due"
  }
  lifecycle {
    ignore_changes = [step[0].command]
  }
}

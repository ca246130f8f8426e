"""The pipeline: decode, identify, judge, commit, acknowledge, publish. Everything that writes is here."""
